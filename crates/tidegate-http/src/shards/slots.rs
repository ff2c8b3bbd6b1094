//! Numbered places that are used again.

/// A list of places.
#[derive(Debug)]
pub(super) struct Slots<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// An empty place, held until [`Slots::free`].
    pub(super) fn hold(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
        })
    }

    pub(super) fn put(&mut self, key: u32, value: T) {
        if let Some(place) = self.places.get_mut(key as usize) {
            *place = Some(value);
        }
    }

    pub(super) fn find(&self, key: u32) -> Option<&T> {
        self.places.get(key as usize)?.as_ref()
    }

    pub(super) fn find_mut(&mut self, key: u32) -> Option<&mut T> {
        self.places.get_mut(key as usize)?.as_mut()
    }

    /// Takes the value out; the place stays held.
    pub(super) fn take(&mut self, key: u32) -> Option<T> {
        self.places.get_mut(key as usize)?.take()
    }

    /// Gives an empty place back.
    pub(super) fn free(&mut self, key: u32) {
        self.free.push(key);
    }

    /// How many places are held.
    pub(super) fn held(&self) -> usize {
        self.places.len() - self.free.len()
    }
}
