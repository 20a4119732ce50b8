//! Graphs as SVG: one layer a height, arrows from users down to what they use.
//!
//! Layers in the manner of Sugiyama, Tagawa and Toda 1981, "Methods for visual understanding of hierarchical system
//! structures".

use super::graph::Graph;
use std::collections::BTreeMap;

const FONT_SIZE: f64 = 15.0;
/// Of a letter, on average, in usual sans-serif fonts.
const LETTER_WIDTH: f64 = 8.6;
const BOX_HEIGHT: f64 = 32.0;
const LAYER_STEP: f64 = 82.0;
/// Between two boxes, and between two arrows that pass a layer.
const BOX_GAP: f64 = 26.0;
const ARROW_GAP: f64 = 16.0;
const MARGIN: f64 = 28.0;
const TITLE_HEIGHT: f64 = 44.0;
const ARROW_HEAD: f64 = 8.0;
/// Rounds in which each vertex moves towards its neighbours; the picture no longer changes after them.
const N_ROUNDS: usize = 40;

/// Colours that stand on white and on black pages alike.
const BOX: &str = "#3f6187";
const LABEL: &str = "#ffffff";
const LINE: &str = "#7f8b99";
const TITLE: &str = "#7f8b99";
const BACKWARD: &str = "#d9534f";

/// One below the other.
pub fn draw(graphs: &[&Graph]) -> String {
    let layouts: Vec<Layout> = graphs.iter().map(|graph| Layout::new(graph)).collect();
    let width = layouts.iter().map(|layout| layout.width).fold(0.0, f64::max) + 2.0 * MARGIN;
    let height = layouts.iter().map(|layout| layout.height() + TITLE_HEIGHT + MARGIN).sum::<f64>() + MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"{FONT_SIZE}\">\n"
    );
    let mut top = MARGIN;
    for (graph, layout) in graphs.iter().zip(&layouts) {
        let left = (width - layout.width) / 2.0;
        let title = format!("<text x=\"{MARGIN}\" y=\"{:.0}\" fill=\"{TITLE}\"", top + FONT_SIZE);
        put(&mut svg, &format!("{title} font-weight=\"bold\">{}</text>", graph.title));
        put(&mut svg, &format!("<g transform=\"translate({left:.0} {:.0})\">", top + TITLE_HEIGHT));
        layout.draw(graph, &mut svg);
        put(&mut svg, "</g>");
        top += layout.height() + TITLE_HEIGHT + MARGIN;
    }
    svg + "</svg>\n"
}

fn put(svg: &mut String, line: &str) {
    svg.push_str(line);
    svg.push('\n');
}

/// A node, or a place where an arrow passes a layer.
struct Vertex {
    /// Empty where an arrow passes.
    name: String,
    /// Of its middle.
    x: f64,
    width: f64,
}

struct Layout {
    /// By height; from left to right.
    layers: Vec<Vec<Vertex>>,
    /// Each arrow's vertices, from the top down: layer, and index in it.
    arrows: Vec<Vec<(usize, usize)>>,
    width: f64,
}

impl Layout {
    fn new(graph: &Graph) -> Self {
        let heights = graph.heights();
        let n_layers = heights.values().max().map_or(0, |height| height + 1);
        let mut layout = Self { layers: Vec::new(), arrows: Vec::new(), width: 0.0 };
        layout.layers.resize_with(n_layers, Vec::new);
        let places: BTreeMap<&str, (usize, usize)> =
            heights.iter().map(|(node, height)| (node.as_str(), layout.add(*height, node))).collect();
        for (from, to) in graph.reduced() {
            let (start, end) = (places[from.as_str()], places[to.as_str()]);
            let between = (end.0 + 1..start.0).rev().map(|layer| layout.add(layer, ""));
            let passed: Vec<_> = between.collect();
            layout.arrows.push([&[start], passed.as_slice(), &[end]].concat());
        }
        layout.arrange();
        layout
    }

    fn add(&mut self, layer: usize, name: &str) -> (usize, usize) {
        let width = if name.is_empty() { 0.0 } else { name.len() as f64 * LETTER_WIDTH + 28.0 };
        self.layers[layer].push(Vertex { name: name.to_owned(), x: 0.0, width });
        (layer, self.layers[layer].len() - 1)
    }

    fn height(&self) -> f64 {
        self.layers.len().saturating_sub(1) as f64 * LAYER_STEP + BOX_HEIGHT
    }

    /// Moves vertices towards their neighbours, layer by layer, up and down by turns.
    fn arrange(&mut self) {
        let mut orders: Vec<Vec<usize>> = self.layers.iter().map(|layer| (0..layer.len()).collect()).collect();
        for (layer, order) in self.layers.iter_mut().zip(&orders) {
            set_apart(layer, order, &vec![0.0; order.len()]);
        }
        for round in 0..N_ROUNDS {
            let mut layers: Vec<usize> = (0..self.layers.len()).collect();
            if round % 2 == 1 {
                layers.reverse();
            }
            for layer in layers {
                // The order settles first, by one side at a time; places follow, by both sides.
                let sides = if round < N_ROUNDS / 2 { [round % 2 == 0, round % 2 == 1] } else { [true, true] };
                let wanted = self.wanted(layer, sides);
                if round < N_ROUNDS / 2 {
                    orders[layer].sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
                }
                set_apart(&mut self.layers[layer], &orders[layer], &wanted);
            }
        }
        let vertices = || self.layers.iter().flatten();
        let left = vertices().map(|vertex| vertex.x - vertex.width / 2.0).fold(f64::MAX, f64::min);
        let right = vertices().map(|vertex| vertex.x + vertex.width / 2.0).fold(f64::MIN, f64::max);
        self.width = (right - left).max(0.0);
        self.layers.iter_mut().flatten().for_each(|vertex| vertex.x -= left);
    }

    /// Mean place of each vertex's neighbours below and above, as asked; its own place if it has none.
    fn wanted(&self, layer: usize, [below, above]: [bool; 2]) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); self.layers[layer].len()];
        for arrow in &self.arrows {
            for pair in arrow.windows(2) {
                let (upper, lower) = (pair[0], pair[1]);
                let mut count = |vertex: (usize, usize), other: (usize, usize)| {
                    sums[vertex.1].0 += self.layers[other.0][other.1].x;
                    sums[vertex.1].1 += 1.0;
                };
                if upper.0 == layer && below {
                    count(upper, lower);
                }
                if lower.0 == layer && above {
                    count(lower, upper);
                }
            }
        }
        let mean = |(vertex, (sum, n)): (&Vertex, (f64, f64))| if n > 0.0 { sum / n } else { vertex.x };
        self.layers[layer].iter().zip(sums).map(mean).collect()
    }

    fn draw(&self, graph: &Graph, svg: &mut String) {
        let ends = self.ends();
        for (arrow, [start_x, end_x]) in self.arrows.iter().zip(ends) {
            let n_points = arrow.len();
            let mut points: Vec<[f64; 2]> =
                arrow.iter().map(|at| [self.layers[at.0][at.1].x, self.top(at.0) + BOX_HEIGHT / 2.0]).collect();
            points[0] = [start_x, self.top(arrow[0].0) + BOX_HEIGHT];
            points[n_points - 1] = [end_x, self.top(arrow[n_points - 1].0)];
            put(svg, &curve(&points, LINE, ""));
        }
        for (from, to) in graph.backward() {
            let ([from_x, from_y], [to_x, to_y]) = (self.place(&from), self.place(&to));
            // From the side of one box to the side of the other, past the arrows.
            let points = [[from_x + 12.0, from_y], [to_x + 12.0, to_y + BOX_HEIGHT]];
            put(svg, &curve(&points, BACKWARD, " stroke-dasharray=\"5 4\""));
        }
        for (height, layer) in self.layers.iter().enumerate() {
            for vertex in layer.iter().filter(|vertex| !vertex.name.is_empty()) {
                put(svg, &boxed(vertex, self.top(height)));
            }
        }
    }

    /// Top of a layer's boxes.
    fn top(&self, height: usize) -> f64 {
        (self.layers.len() - 1 - height) as f64 * LAYER_STEP
    }

    /// Middle of the upper side of a node's box.
    fn place(&self, name: &str) -> [f64; 2] {
        let mut layers = self.layers.iter().enumerate();
        let found = layers.find_map(|(height, layer)| {
            let vertex = layer.iter().find(|vertex| vertex.name == name)?;
            Some([vertex.x, self.top(height)])
        });
        found.expect("every node has a vertex")
    }

    /// Where each arrow leaves its first box and reaches its last: spread over their widths, so that none cross there.
    fn ends(&self) -> Vec<[f64; 2]> {
        let mut ends = vec![[0.0; 2]; self.arrows.len()];
        for side in [0, 1] {
            let mut at_box: BTreeMap<(usize, usize), Vec<(f64, usize)>> = BTreeMap::new();
            for (idx, arrow) in self.arrows.iter().enumerate() {
                let n = arrow.len();
                let (own, next) = if side == 0 { (arrow[0], arrow[1]) } else { (arrow[n - 1], arrow[n - 2]) };
                at_box.entry(own).or_default().push((self.layers[next.0][next.1].x, idx));
            }
            for (own, mut arrows) in at_box {
                arrows.sort_by(|a, b| a.0.total_cmp(&b.0));
                let vertex = &self.layers[own.0][own.1];
                let step = ((vertex.width - 16.0) / arrows.len() as f64).min(22.0);
                let first = vertex.x - step * (arrows.len() - 1) as f64 / 2.0;
                for (n, (_, idx)) in arrows.iter().enumerate() {
                    ends[*idx][side] = first + step * n as f64;
                }
            }
        }
        ends
    }
}

/// Puts the vertices of a layer, in this order, as near to `wanted` as they go without touching.
fn set_apart(layer: &mut [Vertex], order: &[usize], wanted: &[f64]) {
    let distance = |layer: &[Vertex], a: usize, b: usize| {
        let is_box = |idx: usize| !layer[idx].name.is_empty();
        let gap = if is_box(a) || is_box(b) { BOX_GAP } else { ARROW_GAP };
        (layer[a].width + layer[b].width) / 2.0 + gap
    };
    // The mean of pushing all to the right and pushing all to the left keeps groups in their middle.
    let mut rightwards = wanted.to_vec();
    for pair in order.windows(2) {
        rightwards[pair[1]] = rightwards[pair[1]].max(rightwards[pair[0]] + distance(layer, pair[0], pair[1]));
    }
    let mut leftwards = wanted.to_vec();
    for pair in order.windows(2).rev() {
        leftwards[pair[0]] = leftwards[pair[0]].min(leftwards[pair[1]] - distance(layer, pair[0], pair[1]));
    }
    for (idx, vertex) in layer.iter_mut().enumerate() {
        vertex.x = (rightwards[idx] + leftwards[idx]) / 2.0;
    }
}

/// A smooth line through the points, with a head at its end.
fn curve(points: &[[f64; 2]], colour: &str, style: &str) -> String {
    let n = points.len();
    let [end_x, end_y] = points[n - 1];
    let head = if points[0][1] < end_y { -ARROW_HEAD } else { ARROW_HEAD };
    let mut points = points.to_vec();
    points[n - 1][1] += head;
    let mut path = format!("M{:.1} {:.1}", points[0][0], points[0][1]);
    for (idx, pair) in points.windows(2).enumerate() {
        let [[x0, y0], [x1, y1]] = [pair[0], pair[1]];
        let ([dx0, dy0], [dx1, dy1]) = (slope(&points, idx), slope(&points, idx + 1));
        let handles = format!("{:.1} {:.1} {:.1} {:.1}", x0 + dx0, y0 + dy0, x1 - dx1, y1 - dy1);
        path += &format!(" C{handles} {x1:.1} {y1:.1}");
    }
    let base = end_y + head;
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{style}/>\n<path d=\"M{end_x:.1} \
         {end_y:.1} L{:.1} {base:.1} L{:.1} {base:.1} Z\" fill=\"{colour}\"/>",
        end_x - ARROW_HEAD / 2.0,
        end_x + ARROW_HEAD / 2.0
    )
}

/// From a point to the handle of its curve: upright at both ends, and steeper in between than the line through the
/// neighbours, so that it passes between boxes.
fn slope(points: &[[f64; 2]], idx: usize) -> [f64; 2] {
    let last = points.len() - 1;
    let [x0, y0] = points[idx.saturating_sub(1)];
    let [x1, y1] = points[(idx + 1).min(last)];
    if idx == 0 || idx == last { [0.0, (y1 - y0) / 2.0] } else { [(x1 - x0) / 12.0, (y1 - y0) / 5.0] }
}

fn boxed(vertex: &Vertex, top: f64) -> String {
    let Vertex { name, x, width } = vertex;
    format!(
        "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{BOX_HEIGHT}\" rx=\"5\" fill=\"{BOX}\"/>\n<text \
         x=\"{x:.1}\" y=\"{:.1}\" fill=\"{LABEL}\" text-anchor=\"middle\">{name}</text>",
        x - width / 2.0,
        top + BOX_HEIGHT / 2.0 + FONT_SIZE * 0.35
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_do_not_touch_and_arrows_go_down() {
        let names = ["a", "b", "c", "a_long_name", "e", "f"];
        let mut graph = Graph { title: "made up".to_owned(), ..Graph::default() };
        graph.lines = names.iter().map(|name| (name.to_string(), 1)).collect();
        for (from, to) in [("a", "b"), ("a", "c"), ("b", "e"), ("c", "e"), ("a", "f"), ("b", "a_long_name")] {
            graph.edges.insert((from.to_owned(), to.to_owned()), Vec::new());
        }
        let layout = Layout::new(&graph);
        assert_eq!(layout.arrows.len(), 6);
        assert!(layout.arrows.iter().flat_map(|arrow| arrow.windows(2)).all(|pair| pair[0].0 == pair[1].0 + 1));
        for layer in &layout.layers {
            let mut sides: Vec<_> = layer.iter().map(|v| (v.x - v.width / 2.0, v.x + v.width / 2.0)).collect();
            sides.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(sides.windows(2).all(|pair| pair[1].0 - pair[0].1 >= ARROW_GAP - 1e-6), "{sides:?}");
        }
        assert_eq!(draw(&[&graph]).matches("<rect").count(), names.len());
    }
}
