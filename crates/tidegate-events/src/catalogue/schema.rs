//! Schemas that the catalogue accepts: local, finite, cheap to check.
//!
//! A schema may refer only to itself by JSON pointer, and never in a circle; written out in full
//! it has a bounded number of values. So no schema can reach out, and none can make a check of
//! bounded data take for ever.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

const BYTES_MAX: usize = 65_536;
const VALUES_MAX: usize = 4_000;
const PATTERN_BYTES_MAX: usize = 1_048_576;

/// Accepts and compiles a schema.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    if !schema.is_object() {
        return Err("it is not an object".to_owned());
    }
    if schema.to_string().len() > BYTES_MAX {
        return Err(format!("it has more than {BYTES_MAX} bytes"));
    }
    Walk { root: schema, budget: VALUES_MAX, open: Vec::new() }.value(schema)?;
    jsonschema::options()
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
        .build(schema)
        .map_err(|error| error.masked().to_string())
}

/// Follows every reference; each value that is met costs one of the budget, so depth is bounded too.
struct Walk<'a> {
    root: &'a Value,
    budget: usize,
    open: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, value: &'a Value) -> Result<(), String> {
        self.budget = self
            .budget
            .checked_sub(1)
            .ok_or_else(|| format!("written out in full it has more than {VALUES_MAX} values"))?;
        match value {
            Value::Object(members) => members.iter().try_for_each(|(name, member)| self.member(name, member)),
            Value::Array(items) => items.iter().try_for_each(|item| self.value(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn member(&mut self, name: &str, member: &'a Value) -> Result<(), String> {
        match (name, member) {
            ("$ref", Value::String(target)) => self.reference(target),
            ("$dynamicRef" | "$recursiveRef", Value::String(_)) => {
                Err(format!("`{name}` is not accepted; use `$ref`"))
            }
            _ => self.value(member),
        }
    }

    fn reference(&mut self, target: &'a str) -> Result<(), String> {
        let pointer = target.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let pointer = pointer.ok_or("a `$ref` may only point into the schema itself: `#/…`")?;
        if self.open.contains(&pointer) {
            return Err("its `$ref`s go in a circle".to_owned());
        }
        let found = self.root.pointer(pointer).ok_or("a `$ref` points nowhere")?;
        self.open.push(pointer);
        self.value(found)?;
        self.open.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({"$ref": "https://example.org/schema"}))]
    #[case(json!({"$ref": "file:///etc/passwd"}))]
    #[case(json!({"properties": {"a": {"$ref": "other.json"}}}))]
    #[case(json!({"$schema": "https://example.org/unknown"}))]
    #[case(json!({"$ref": "#"}))]
    #[case(json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}))]
    #[case(json!({"$dynamicRef": "#a"}))]
    #[case(json!({"$ref": "#/$defs/missing"}))]
    #[case(json!({"type": 7}))]
    #[case(json!({"pattern": "("}))]
    #[case(json!({"pattern": "((a{1000}){1000}){1000}"}))]
    #[case(json!(true))]
    fn schemas_that_reach_out_or_never_end_are_refused(#[case] schema: Value) {
        assert!(compile(&schema).is_err(), "{schema}");
    }

    #[test]
    fn a_schema_that_doubles_itself_is_refused() {
        let mut defs = serde_json::Map::new();
        defs.insert("d0".to_owned(), json!({"type": "string"}));
        for n in 1..40 {
            let below = format!("#/$defs/d{}", n - 1);
            defs.insert(format!("d{n}"), json!({"allOf": [{"$ref": below}, {"$ref": below}]}));
        }
        assert!(compile(&json!({"$defs": defs, "$ref": "#/$defs/d39"})).is_err());
    }

    #[test]
    fn an_ordinary_schema_compiles() {
        let schema = json!({
            "$defs": {"title": {"type": "string", "pattern": "^[a-z]+$"}},
            "type": "object",
            "properties": {"title": {"$ref": "#/$defs/title"}, "$ref": {"type": "string"}},
            "required": ["title"],
        });
        assert!(compile(&schema).unwrap().is_valid(&json!({"title": "abc"})));
    }
}
