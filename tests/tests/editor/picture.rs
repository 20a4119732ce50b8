//! A part of the window: its area in design units and its pixels.

/// A rectangle in design units.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Area {
    /// The whole layout.
    pub const ALL: Self = Self::new(0.0, 0.0, 900.0, 600.0);

    pub const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { x, y, width, height }
    }

    /// Geometry for ImageMagick, at `scale` pixels per unit and moved by `offset` pixels.
    pub fn geometry(self, scale: f32, offset: (f32, f32)) -> String {
        let px = |units: f32| (units * scale).round();
        let (x, y) = (px(self.x) + offset.0.round(), px(self.y) + offset.1.round());
        format!("{}x{}+{x}+{y}", px(self.width), px(self.height))
    }
}

/// Pixels of three bytes: red, green, blue.
#[derive(Clone, PartialEq)]
pub struct Picture(pub Vec<u8>);

impl Picture {
    fn pixels(&self) -> impl Iterator<Item = &[u8]> {
        self.0.chunks_exact(3)
    }

    /// Number of pixels close to a colour.
    pub fn count(&self, colour: [u8; 3]) -> usize {
        self.pixels().filter(|pixel| pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 12)).count()
    }

    /// Number of pixels that differ from the mean brightness by more than `by`.
    pub fn n_standing_out(&self, by: f32) -> usize {
        let mean = self.mean();
        let brightness = |pixel: &[u8]| pixel.iter().map(|v| f32::from(*v)).sum::<f32>() / 3.0;
        self.pixels().filter(|pixel| (brightness(pixel) - mean).abs() > by).count()
    }

    pub fn is_uniform(&self) -> bool {
        self.pixels().all(|pixel| Some(pixel) == self.pixels().next())
    }

    /// Mean brightness, 0 to 255.
    pub fn mean(&self) -> f32 {
        self.0.iter().map(|v| f32::from(*v)).sum::<f32>() / self.0.len() as f32
    }

    /// Share of bytes that differ by more than `tolerance` of 255.
    pub fn share_changed(&self, other: &Self, tolerance: u8) -> f32 {
        assert_eq!(self.0.len(), other.0.len(), "pictures of one size");
        let changed = self.0.iter().zip(&other.0).filter(|(a, b)| a.abs_diff(**b) > tolerance).count();
        changed as f32 / self.0.len() as f32
    }
}
