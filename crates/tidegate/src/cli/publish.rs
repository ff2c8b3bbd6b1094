//! `tidegate publish`: append to a stream, or send a domain event.

use clap::Args;
use serde_json::{Value, json};

use super::Context;
use super::client::Call;
use super::exit::{CliError, Exit};

/// Appends a JSON record to a stream (made if it is not there), or sends a domain event to a feed.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate publish public/news -d '{\"headline\":\"hello\"}'\n  tidegate publish public/news --progress 0.5 --message \"half way\"\n  tidegate publish --user 0199a7c2-… --type novel.created -d '{\"id\":7}'"
)]
pub(crate) struct PublishArgs {
    /// The stream's path.
    #[arg(required_unless_present_any = ["user", "broadcast"], value_name = "STREAM")]
    stream: Option<String>,
    /// The record, JSON; `-` reads standard input.
    #[arg(short = 'd', long = "record", id = "record", value_name = "JSON")]
    record: Option<String>,
    /// Send a domain event to this user's feed instead.
    #[arg(long, value_name = "USER_ID", conflicts_with = "stream", requires = "event_type")]
    user: Option<String>,
    /// Send a domain event to everybody's feed.
    #[arg(long, conflicts_with_all = ["stream", "user"], requires = "event_type")]
    broadcast: bool,
    /// The event's type.
    #[arg(long = "type", id = "event_type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Adds `progress`, 0 to 1.
    #[arg(long)]
    progress: Option<f64>,
    /// Adds `stage`.
    #[arg(long)]
    stage: Option<String>,
    /// Adds `message`.
    #[arg(long)]
    message: Option<String>,
}

pub(super) async fn run(args: PublishArgs, context: &Context) -> Result<Exit, CliError> {
    let client = context.client()?;
    let data = record(&args)?;
    if args.user.is_some() || args.broadcast {
        client.require_key()?;
        let mut body = json!({ "type": args.event_type, "data": data });
        if let Some(object) = body.as_object_mut() {
            match args.user {
                Some(user) => object.insert("user_id".to_owned(), json!(user)),
                None => object.insert("broadcast".to_owned(), json!(true)),
            };
        }
        let sent = client.call(Call::post("/api/v1/events").json(body)).await?;
        context.output.result(&sent.body, || format!("sent {}", args.event_type.unwrap_or_default()));
        return Ok(Exit::Ok);
    }
    let path = args.stream.unwrap_or_default();
    let data = match (data, args.event_type) {
        (Value::Object(mut object), Some(name)) => {
            object.insert("type".to_owned(), json!(name));
            Value::Object(object)
        }
        (data, _) => data,
    };
    let offset = append(&client, &path, &data).await?;
    context.output.result(&json!({ "stream": path, "offset": offset }), || {
        format!("{path} #{}", offset.trim_start_matches('0'))
    });
    Ok(Exit::Ok)
}

/// The record out of the flags.
fn record(args: &PublishArgs) -> Result<Value, CliError> {
    let usage = |words: String| CliError::new(Exit::Usage, words);
    let text = match args.record.as_deref() {
        Some("-") => std::io::read_to_string(std::io::stdin())
            .map_err(|error| CliError::io("cannot read standard input", error))?,
        Some(text) => text.to_owned(),
        None => "{}".to_owned(),
    };
    let mut value: Value =
        serde_json::from_str(&text).map_err(|error| usage(format!("the record is not JSON: {error}")))?;
    let extras = [
        ("progress", args.progress.map(|p| json!(p))),
        ("stage", args.stage.as_ref().map(|s| json!(s))),
        ("message", args.message.as_ref().map(|m| json!(m))),
    ];
    let extras: Vec<_> = extras.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    if !extras.is_empty() {
        let object = value.as_object_mut().ok_or_else(|| {
            usage("--progress, --stage and --message go with a record that is an object".to_owned())
        })?;
        object.extend(extras.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    Ok(value)
}

/// Appends, making the stream first if it is not there. Answers the offset.
async fn append(client: &super::client::Client, path: &str, data: &Value) -> Result<String, CliError> {
    let url = format!("/v1/stream/{path}");
    // An array would be taken as a batch of records.
    let body = if data.is_array() { json!([data]) } else { data.clone() };
    let failed = |error: reqwest::Error| {
        CliError::new(Exit::Unreachable, format!("the server can't be reached: {}", error.without_url()))
    };
    let post = || client.request(reqwest::Method::POST, &url).json(&body).send();
    let mut response = post().await.map_err(failed)?;
    if response.status() == reqwest::StatusCode::NOT_FOUND {
        let made = client
            .request(reqwest::Method::PUT, &url)
            .header("content-type", "application/json")
            .send()
            .await
            .map_err(failed)?;
        super::client::answer(made).await?;
        response = post().await.map_err(failed)?;
    }
    let offset = response
        .headers()
        .get("stream-next-offset")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    super::client::answer(response).await?;
    Ok(offset)
}
