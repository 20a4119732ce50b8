//! Rectangles in design units, cut into rows and columns.

/// A size that takes what the sizes beside it leave. Several of them share that equally.
pub const REST: f32 = f32::INFINITY;

/// A rectangle, in design units from the window's upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Area {
    /// An area at the window's upper left corner.
    pub const fn sized(width: f32, height: f32) -> Self {
        Self { x: 0.0, y: 0.0, width, height }
    }

    /// Cuts the area into rows from top to bottom. Heights may be [`REST`].
    pub fn rows<const N: usize>(self, heights: [f32; N]) -> [Self; N] {
        let mut spans = Spans::new(self.y, self.height, 0.0, heights);
        heights.map(|height| {
            let (y, height) = spans.take(height);
            Self { y, height, ..self }
        })
    }

    /// Cuts the area into columns from left to right. Widths may be [`REST`].
    pub fn columns<const N: usize>(self, widths: [f32; N]) -> [Self; N] {
        let mut spans = Spans::new(self.x, self.width, 0.0, widths);
        widths.map(|width| {
            let (x, width) = spans.take(width);
            Self { x, width, ..self }
        })
    }

    /// The area without the padding on its four sides.
    pub fn within(self, padding: Padding) -> Self {
        let Padding { left, top, right, bottom } = padding;
        Self { x: self.x + left, y: self.y + top, width: self.width - left - right, height: self.height - top - bottom }
    }

    /// The part with this height, centred between top and bottom.
    pub fn middle(self, height: f32) -> Self {
        Self { y: self.y + (self.height - height) / 2.0, height, ..self }
    }

    /// Its centre.
    pub fn centre(self) -> (f32, f32) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

/// Empty space inside the edges of an area, design units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Padding {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl Padding {
    pub const NONE: Self = Self::even(0.0, 0.0);

    /// `across` on the left and right, `along` at top and bottom.
    pub const fn even(across: f32, along: f32) -> Self {
        Self { left: across, top: along, right: across, bottom: along }
    }
}

/// Successive sections of a line.
pub struct Spans {
    /// Beginning of the next one.
    at: f32,
    /// Space between two of them.
    gap: f32,
    /// Length of each [`REST`].
    rest: f32,
}

impl Spans {
    /// Spans of these sizes, `gap` apart, on a line that begins at `start`.
    pub fn new(start: f32, length: f32, gap: f32, sizes: impl IntoIterator<Item = f32> + Clone) -> Self {
        let n = sizes.clone().into_iter().count();
        let n_rest = sizes.clone().into_iter().filter(|size| *size == REST).count();
        let fixed: f32 = sizes.into_iter().filter(|size| *size != REST).sum();
        let free = length - fixed - gap * n.saturating_sub(1) as f32;
        Self { at: start, gap, rest: free / n_rest.max(1) as f32 }
    }

    /// Beginning and length of the next one.
    pub fn take(&mut self, size: f32) -> (f32, f32) {
        let (at, length) = (self.at, if size == REST { self.rest } else { size });
        self.at += length + self.gap;
        (at, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_fill_an_area() {
        let area = Area { x: 10.0, y: 20.0, width: 100.0, height: 60.0 };
        let [left, middle, right] = area.columns([30.0, REST, REST]);
        assert_eq!([left.x, middle.x, right.x], [10.0, 40.0, 75.0]);
        assert_eq!((right.x + right.width, right.y, right.height), (110.0, 20.0, 60.0));
        let [above, below] = area.rows([REST, 15.0]);
        assert_eq!((above.y, above.height, below.y, below.height), (20.0, 45.0, 65.0, 15.0));
        assert_eq!((below.x, below.width), (10.0, 100.0));
        let mut spans = Spans::new(0.0, 108.0, -3.0, [REST; 5]);
        assert_eq!([(); 5].map(|()| spans.take(REST)), [0.0, 21.0, 42.0, 63.0, 84.0].map(|at| (at, 24.0)));
    }

    #[test]
    fn padding_and_middle_keep_the_centre() {
        let area = Area::sized(40.0, 20.0);
        assert_eq!(area.within(Padding::even(5.0, 2.0)), Area { x: 5.0, y: 2.0, width: 30.0, height: 16.0 });
        assert_eq!(area.middle(6.0).centre(), area.centre());
    }
}
