//! Pages of lists.

/// Some items of a list, and after which place it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, P> {
    /// At most as many as were asked for; where fewer came, there may be more all the same.
    pub items: Vec<T>,
    /// Where the next page begins, if there may be one.
    pub next: Option<P>,
}

impl<T, P> Page<T, P> {
    /// A page of at most `limit` of what was found, which is one more where there are more.
    pub fn cut(mut found: Vec<T>, limit: usize, place: impl Fn(&T) -> P) -> Page<T, P> {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(place);
        Page { items: found, next }
    }

    /// The same page with other items.
    pub fn map<U>(self, item: impl FnMut(T) -> U) -> Page<U, P> {
        Page { items: self.items.into_iter().map(item).collect(), next: self.next }
    }
}
