//! The rule of the origin: a ticket that was minted on a page opens its stream only for that page.

use crate::FetchSite;

/// The origins that are the server's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OriginRule<'a> {
    pub(crate) own: &'a [String],
}

impl OriginRule<'_> {
    /// Whether the mint's origin is the server's own, as far as can be told.
    ///
    /// Behind a proxy the server may not know its own name; the browser does.
    pub(crate) fn is_own(self, origin: &str, fetch_site: Option<FetchSite>) -> bool {
        fetch_site == Some(FetchSite::SameOrigin) || self.own.iter().any(|own| own == origin)
    }

    /// Whether a request may use a ticket that was minted on this origin.
    pub(crate) fn allows(
        minted: Option<&str>,
        minted_own: bool,
        origin: Option<&str>,
        fetch_site: Option<FetchSite>,
    ) -> bool {
        match (minted, origin, fetch_site) {
            // Minted by a backend: it may hand the ticket to whom it likes.
            (None, _, _) => true,
            (Some(minted), Some(origin), _) => minted == origin,
            // A same-origin GET carries no `Origin`.
            (Some(_), None, Some(FetchSite::SameOrigin)) => minted_own,
            (Some(_), None, Some(FetchSite::SameSite | FetchSite::CrossSite | FetchSite::None)) => false,
            // Neither header: not a browser, so no page could have sent it.
            (Some(_), None, None) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const PAGE: Option<&str> = Some("https://app.test");

    #[rstest]
    #[case::backend_minted(None, false, Some("https://any.test"), Some(FetchSite::CrossSite), true)]
    #[case::same(PAGE, false, PAGE, Some(FetchSite::CrossSite), true)]
    #[case::other(PAGE, false, Some("https://evil.test"), Some(FetchSite::CrossSite), false)]
    #[case::null(PAGE, false, Some("null"), None, false)]
    #[case::own_page(PAGE, true, None, Some(FetchSite::SameOrigin), true)]
    #[case::own_page_of_another(PAGE, false, None, Some(FetchSite::SameOrigin), false)]
    #[case::address_bar(PAGE, true, None, Some(FetchSite::None), false)]
    #[case::cross_site_without_origin(PAGE, true, None, Some(FetchSite::CrossSite), false)]
    #[case::no_browser(PAGE, false, None, None, true)]
    fn tickets_open_only_for_the_page_that_minted_them(
        #[case] minted: Option<&str>,
        #[case] own: bool,
        #[case] origin: Option<&str>,
        #[case] site: Option<FetchSite>,
        #[case] allowed: bool,
    ) {
        assert_eq!(OriginRule::allows(minted, own, origin, site), allowed);
    }
}
