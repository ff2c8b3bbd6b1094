//! A small SSE reader for tests, written from the standard's parsing rules and sharing no code
//! with the encoders (WHATWG HTML, section 9.2.6).

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
    pub(crate) last_id: String,
}

/// All events of a whole byte stream, and the last `retry` that was seen.
pub(crate) fn read(bytes: &[u8]) -> (Vec<Event>, Option<u64>) {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n");
    let (mut events, mut retry) = (Vec::new(), None);
    let (mut name, mut data, mut id) = (String::new(), None::<String>, String::new());
    for line in text.split('\n') {
        if line.is_empty() {
            if let Some(data) = data.take() {
                events.push(Event { name: std::mem::take(&mut name), data, last_id: id.clone() });
            }
            name.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut name),
            "data" => {
                data = Some(data.map_or_else(|| value.to_owned(), |before| before + "\n" + value));
            }
            "id" if !value.contains('\0') => value.clone_into(&mut id),
            "retry" => retry = value.parse().ok().or(retry),
            _ => {}
        }
    }
    (events, retry)
}
