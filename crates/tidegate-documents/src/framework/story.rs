//! `master_mode`: a story in scenes, written by a model.
//!
//! Options: `{"scenes": 5}`, 1 to 12, as a number or (from forms) a text; all others go to the model as
//! wishes. Result: `{kind, method, title, markdown, scenes: [{number, title, text}]}`.

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tidegate_generations::{Failure, Framework, Job, Origin, Rejected};

use super::article::{check_count, count_of, escape, title};
use super::report::Stage;
use super::write::{Task, Writer, tame};
use crate::{ChatMessage, Role};

const SCENES: usize = 5;
const SCENES_BOUNDS: std::ops::RangeInclusive<usize> = 1..=12;
const OUTLINE: Stage = Stage::new("outline", 0.0, 0.15);
const WRITE: Stage = Stage::new("write", 0.15, 0.95);
const CHECK: Stage = Stage::new("check", 0.95, 1.0);
const OUTLINE_BYTES: usize = 8_192;
const SCENE_BYTES_WANTED: usize = 1_800;
/// Twelve of these, twice, stay within one result.
const SCENE_BYTES_MAX: usize = 8_192;
const WISH_BYTES_MAX: usize = 200;
/// Of the scene before, so much goes along with the next.
const BEFORE_BYTES: usize = 4_096;

/// Writes stories.
#[derive(Clone, Debug)]
pub struct MasterMode {
    writer: Writer,
}

#[derive(Clone, Debug)]
struct Scene {
    title: String,
    text: String,
}

impl MasterMode {
    /// Stories by this writer.
    #[must_use]
    pub const fn new(writer: Writer) -> Self {
        Self { writer }
    }
}

#[async_trait]
impl Framework for MasterMode {
    fn name(&self) -> &str {
        "master_mode"
    }

    async fn check(&self, wish: &Origin) -> Result<(), Rejected> {
        Ok(check_count(wish, "scenes", SCENES_BOUNDS)?)
    }

    async fn run(&self, job: Job) -> Result<Value, Failure> {
        let count = count_of(job.options(), "scenes", SCENES, SCENES_BOUNDS).unwrap_or(SCENES);
        let wish = wish(&job);
        let titles = self.outline(&job, &wish, count).await?;
        let mut scenes: Vec<Scene> = Vec::with_capacity(count);
        for (index, title) in titles.iter().enumerate() {
            let text = self.scene(&job, &wish, &titles, index, scenes.last()).await?;
            scenes.push(Scene { title: title.clone(), text });
        }
        CHECK.tell(&job, format!("{count} scenes are written"), Map::new()).await?;
        let title = title(&job);
        Ok(json!({
            "kind": "story",
            "method": "model",
            "markdown": markdown(&title, &scenes),
            "title": title,
            "scenes": scenes.iter().zip(1..).map(|(scene, number)| {
                json!({ "number": number, "title": scene.title, "text": scene.text })
            }).collect::<Vec<_>>(),
        }))
    }
}

impl MasterMode {
    async fn outline(&self, job: &Job, wish: &str, count: usize) -> Result<Vec<String>, Failure> {
        let rules = format!(
            "You plan stories. Answer with exactly {count} lines, one for each scene in its order: a title of \
             at most eight words. No numbers, no remarks, nothing else. Use the language of the wish."
        );
        let task = Task {
            stage: OUTLINE,
            message: format!("Planning {count} scenes"),
            bytes_wanted: count * 40,
            bytes_max: OUTLINE_BYTES,
        };
        let messages = [ChatMessage::new(Role::System, rules), ChatMessage::new(Role::User, wish)];
        let plan = self.writer.write(job, &task, &messages).await?;
        Ok(titles(&plan, count))
    }

    async fn scene(
        &self,
        job: &Job,
        wish: &str,
        titles: &[String],
        index: usize,
        before: Option<&Scene>,
    ) -> Result<String, Failure> {
        let number = index + 1;
        let title = titles.get(index).map(String::as_str).unwrap_or_default();
        let rules = "You write one scene of a story at a time, in about 250 words of prose. No headings, no \
                     remarks about the text, no links and no images. Use the language of the wish.";
        let mut asked = format!("{wish}\n\nThe scenes of the story:\n");
        for (title, number) in titles.iter().zip(1..) {
            asked.push_str(&format!("{number}. {title}\n"));
        }
        if let Some(before) = before {
            let from = before.text.len().saturating_sub(BEFORE_BYTES);
            let tail = before.text.get(before.text.ceil_char_boundary(from)..).unwrap_or_default();
            asked.push_str(&format!("\nThe scene before ends like this:\n{tail}\n"));
        }
        asked.push_str(&format!("\nWrite scene {number}: {title}"));
        let task = Task {
            stage: WRITE.part(index, titles.len()),
            message: format!("Writing scene {number} of {}: {title}", titles.len()),
            bytes_wanted: SCENE_BYTES_WANTED,
            bytes_max: SCENE_BYTES_MAX,
        };
        let messages = [ChatMessage::new(Role::System, rules), ChatMessage::new(Role::User, asked)];
        Ok(self.writer.write(job, &task, &messages).await?.trim().to_owned())
    }
}

/// What was asked for, with the short ones of its options.
fn wish(job: &Job) -> String {
    let mut wish = format!("The wish: {}", job.prompt());
    for (name, value) in job.options().iter().filter(|(name, _)| *name != "scenes") {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => continue,
        };
        if text.len() <= WISH_BYTES_MAX && name.len() <= WISH_BYTES_MAX {
            wish.push_str(&format!("\n{name}: {text}"));
        }
    }
    wish
}

/// The titles of a plan, whatever a model puts before them; those that are missing get a number.
fn titles(plan: &str, count: usize) -> Vec<String> {
    let bare = |line: &str| {
        let line = line.trim_start_matches(|c: char| !c.is_alphabetic() && c != '“' && c != '"');
        line.trim_matches(['*', '#', ' ', '"']).chars().take(120).collect::<String>()
    };
    let mut titles: Vec<String> =
        plan.lines().map(bare).filter(|line| !line.is_empty()).take(count).collect();
    while titles.len() < count {
        titles.push(format!("Scene {}", titles.len() + 1));
    }
    titles
}

fn markdown(title: &str, scenes: &[Scene]) -> String {
    let mut text = format!("# {}\n", escape(title));
    for (scene, number) in scenes.iter().zip(1..) {
        text.push_str(&format!("\n## {number}. {}\n\n{}\n", escape(&scene.title), tame(&scene.text, 0)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_gives_as_many_titles_as_scenes_whatever_the_model_adds() {
        let plan = "1. **The Lighthouse**\n\n2) A storm\n- The end\nToo much";
        assert_eq!(titles(plan, 3), ["The Lighthouse", "A storm", "The end"]);
        assert_eq!(titles("Only one", 3), ["Only one", "Scene 2", "Scene 3"]);
    }
}
