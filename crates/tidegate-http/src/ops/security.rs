//! The credentials as the OpenAPI document names them.

use utoipa::Modify;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};

/// Adds the security schemes; every route takes a bearer or the session cookie unless it says otherwise.
pub(crate) struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let cookie = ApiKey::Cookie(ApiKeyValue::new("__Host-tidegate"));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        let ticket = ApiKey::Query(ApiKeyValue::new("ticket"));
        components.add_security_scheme("ticket", SecurityScheme::ApiKey(ticket));
        let none: [&str; 0] = [];
        document.security =
            Some(vec![SecurityRequirement::new("bearer", none), SecurityRequirement::new("session", none)]);
    }
}
