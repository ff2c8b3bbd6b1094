//! The catalogue in memory: one compiled schema for each type that has one.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jsonschema::Validator;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{CatalogueType, NewType, Violation, schema};
use crate::{EventType, OwnEvent, PublishError, RegisterError};

const VIOLATIONS_MAX: usize = 20;
const DESCRIPTION_BYTES_MAX: usize = 1_024;

/// All registered types.
pub(crate) struct Catalogue(RwLock<BTreeMap<EventType, Arc<Registered>>>);

struct Registered {
    public: CatalogueType,
    /// Compiled when it is first needed, so that a start does not wait for it.
    compiled: OnceLock<Result<Validator, String>>,
}

impl Catalogue {
    pub(crate) fn new(types: Vec<CatalogueType>) -> Self {
        let registered = |public: CatalogueType| {
            (public.name.clone(), Arc::new(Registered { public, compiled: OnceLock::new() }))
        };
        Self(RwLock::new(types.into_iter().map(registered).collect()))
    }

    /// Refuses what may not be registered, and compiles the schema.
    pub(crate) fn accept(new: &NewType) -> Result<Option<Validator>, RegisterError> {
        if OwnEvent::from_type(&new.name).is_some() {
            return Err(RegisterError::Own(new.name.to_string()));
        }
        if new.description.as_ref().is_some_and(|text| text.len() > DESCRIPTION_BYTES_MAX) {
            return Err(RegisterError::DescriptionTooLong);
        }
        new.schema.as_ref().map(schema::compile).transpose().map_err(RegisterError::Schema)
    }

    pub(crate) fn put(&self, public: CatalogueType, compiled: Option<Validator>) {
        let cell = compiled.map(Ok).map_or_else(OnceLock::new, OnceLock::from);
        let name = public.name.clone();
        let registered = Arc::new(Registered { public, compiled: cell });
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name, registered);
    }

    pub(crate) fn list(&self) -> Vec<CatalogueType> {
        let registered = self.0.read().unwrap_or_else(PoisonError::into_inner);
        own_types().chain(registered.values().map(|entry| entry.public.clone())).collect()
    }

    /// Refuses data that does not match the schema of its type, if there is one.
    pub(crate) fn check(&self, event_type: &EventType, data: &RawValue) -> Result<(), PublishError> {
        let registered = self.0.read().unwrap_or_else(PoisonError::into_inner).get(event_type).cloned();
        let Some(entry) = registered else { return Ok(()) };
        let Some(schema) = &entry.public.schema else { return Ok(()) };
        let violations = match entry.compiled.get_or_init(|| schema::compile(schema)) {
            Ok(validator) => violations(validator, data),
            // A schema that an older version accepted; nothing passes until it is registered anew.
            Err(reason) => vec![Violation { pointer: "/type".to_owned(), detail: reason.clone() }],
        };
        if violations.is_empty() {
            return Ok(());
        }
        Err(PublishError::Schema { event_type: event_type.to_string(), violations })
    }
}

fn violations(validator: &Validator, data: &RawValue) -> Vec<Violation> {
    let data: Value = match serde_json::from_str(data.get()) {
        Ok(data) => data,
        Err(error) => {
            return vec![Violation { pointer: "/data".to_owned(), detail: error.to_string() }];
        }
    };
    validator
        .iter_errors(&data)
        .take(VIOLATIONS_MAX)
        .map(|error| Violation {
            pointer: format!("/data{}", error.instance_path()),
            // Masked: an answer does not repeat what may be secret.
            detail: error.masked().to_string(),
        })
        .collect()
}

fn own_types() -> impl Iterator<Item = CatalogueType> {
    OwnEvent::ALL.iter().filter_map(|own| {
        Some(CatalogueType {
            name: own.as_str().parse().ok()?,
            description: Some(own.description().trim().to_owned()),
            schema: None,
            own: true,
            created_at: None,
            updated_at: None,
        })
    })
}
