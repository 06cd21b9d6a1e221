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

    /// The page as far as its items have so many bytes; one item is on it, however long that is.
    #[must_use]
    pub fn within(mut self, bytes_max: usize, bytes: impl Fn(&T) -> usize, place: impl Fn(&T) -> P) -> Page<T, P> {
        let mut total = 0;
        let fits = |item: &&T| {
            let before = total;
            total += bytes(item);
            before < bytes_max
        };
        let count = self.items.iter().take_while(fits).count();
        if count < self.items.len() {
            self.items.truncate(count);
            self.next = self.items.last().map(place);
        }
        self
    }

    /// The same page with other items.
    pub fn map<U>(self, item: impl FnMut(T) -> U) -> Page<U, P> {
        Page { items: self.items.into_iter().map(item).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_with_the_item_that_makes_it_too_long() {
        let page =
            |sizes: &[usize]| Page { items: sizes.to_vec(), next: Some(99) }.within(10, |size| *size, |size| *size);
        assert_eq!(page(&[4, 5, 6, 7]), Page { items: vec![4, 5, 6], next: Some(6) });
        assert_eq!(page(&[100, 1]), Page { items: vec![100], next: Some(100) });
        assert_eq!(page(&[1, 2]), Page { items: vec![1, 2], next: Some(99) });
    }
}
