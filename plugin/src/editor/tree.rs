//! A tree that describes a window: rows, columns and panels, with items as leaves.

use super::area::{Area, Padding, Spans};

/// A part of the window. Sizes are in design units or [`REST`](super::area::REST).
pub enum Node<T: 'static> {
    /// An item.
    Leaf(T),
    /// Empty space.
    Free,
    /// The gap between rows, then heights and parts from top to bottom.
    Rows(f32, &'static [(f32, Self)]),
    /// The gap between columns, then widths and parts from left to right.
    Columns(f32, &'static [(f32, Self)]),
    /// A part with padding around it.
    Within(Padding, &'static Self),
    /// A part with padding around it, on a background of its own.
    Panel(Padding, &'static Self),
}

/// What [`Node::walk`] visits.
pub enum Found<'a, T> {
    Panel,
    Leaf(&'a T),
}

impl<T> Node<T> {
    /// Visits all panels and items in drawing order: a panel before its contents, rows from the top, columns from the
    /// left.
    pub fn walk<'a>(&'a self, area: Area, visit: &mut impl FnMut(Found<'a, T>, Area)) {
        match self {
            Self::Leaf(item) => visit(Found::Leaf(item), area),
            Self::Free => {}
            Self::Within(padding, node) => node.walk(area.within(*padding), visit),
            Self::Panel(padding, node) => {
                visit(Found::Panel, area);
                node.walk(area.within(*padding), visit);
            }
            Self::Rows(gap, parts) => {
                let mut spans = Spans::new(area.y, area.height, *gap, parts.iter().map(|part| part.0));
                for (size, node) in *parts {
                    let (y, height) = spans.take(*size);
                    node.walk(Area { y, height, ..area }, visit);
                }
            }
            Self::Columns(gap, parts) => {
                let mut spans = Spans::new(area.x, area.width, *gap, parts.iter().map(|part| part.0));
                for (size, node) in *parts {
                    let (x, width) = spans.take(*size);
                    node.walk(Area { x, width, ..area }, visit);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::area::REST;
    use super::Node::*;
    use super::*;

    #[test]
    fn rows_columns_and_panels_place_their_items() {
        const WINDOW: Node<&str> = Rows(
            10.0,
            &[
                (20.0, Leaf("title")),
                (REST, Columns(0.0, &[(30.0, Free), (REST, Panel(Padding::even(4.0, 2.0), &Leaf("knob")))])),
            ],
        );
        let mut found = Vec::new();
        WINDOW.walk(Area::sized(100.0, 80.0), &mut |what, area| {
            let name = if let Found::Leaf(name) = what { name } else { "panel" };
            found.push((name, area.x, area.y, area.width, area.height));
        });
        let expected =
            [("title", 0.0, 0.0, 100.0, 20.0), ("panel", 30.0, 30.0, 70.0, 50.0), ("knob", 34.0, 32.0, 62.0, 46.0)];
        assert_eq!(found, expected);
    }
}
