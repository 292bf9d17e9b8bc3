//! A picture as SVG, by itself: no fonts, scripts or files besides. Colours follow the reader's light or dark page.

use super::layer::{Layers, Slot, layers};
use super::order::order;
use super::place::{LETTER, LINE, NAME, Placed, Room, SMALL, place};
use super::{Kind, Node, Picture, Style};

const EDGE: f64 = 26.0;

const LIGHT: &str = "
  .page { fill: #ffffff }
  text { fill: #1f2328; font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, 'Liberation Mono', monospace }
  .soft { fill: #59636e }
  .line { stroke: #6e7781; fill: none }
  .tip { fill: #6e7781 }
  .box { stroke: #8c959f; fill: #f6f8fa }
  .image { stroke: #2f72c4; fill: #e4effb }
  .text { stroke: #2b8a4b; fill: #e3f4e8 }
  .fused { stroke: #8250c8; fill: #f0e9fb }
  .loss { stroke: #cf4a3c; fill: #fdeceA }
  .state { stroke: #b07d1c; fill: #fdf3dc }
";

const DARK: &str = "
  .page { fill: #0d1117 }
  text { fill: #e6edf3 }
  .soft { fill: #9da7b3 }
  .line { stroke: #8b949e }
  .tip { fill: #8b949e }
  .box { stroke: #6e7681; fill: #1c2128 }
  .image { stroke: #6aa9f4; fill: #14263d }
  .text { stroke: #5fbf7f; fill: #12291b }
  .fused { stroke: #b48cf2; fill: #261a3a }
  .loss { stroke: #f0776b; fill: #3a1614 }
  .state { stroke: #d9a441; fill: #33260d }
";

/// The picture as an SVG document.
pub fn svg(picture: &Picture) -> String {
    let mut layers = layers(picture);
    order(&mut layers);
    let placed = place(picture, &layers);
    let legend = Legend::of(picture);
    let head = 2.0 * EDGE + 2.0 * LINE;
    let title = letters(&picture.title, 16.0).max(letters(&picture.subtitle, SMALL));
    let width = (placed.width.max(title) + 2.0 * EDGE).max(420.0);
    let rows = legend.rows(width - 2.0 * EDGE);
    let height = head + placed.height + EDGE + 22.0 * rows.len() as f64 + EDGE;
    let mut page = Page { text: String::new() };
    page.open(width, height);
    page.title(picture);
    page.text += &format!("<g transform=\"translate({:.1} {head:.1})\">\n", (width - placed.width) / 2.0);
    page.lines(&layers, &placed);
    for (slot, room) in layers.slots.iter().zip(&placed.rooms) {
        if let Slot::Box(node) = slot {
            page.node(&picture.nodes[*node], room);
        }
    }
    page.text += "</g>\n";
    page.legend(&rows, head + placed.height + EDGE + 10.0);
    page.text + "</svg>\n"
}

fn letters(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * LETTER
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

struct Page {
    text: String,
}

impl Page {
    fn open(&mut self, width: f64, height: f64) {
        self.text += &format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n\
             <style>{LIGHT}@media (prefers-color-scheme: dark) {{{DARK}}}</style>\n\
             <rect class=\"page\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n"
        );
    }

    fn title(&mut self, picture: &Picture) {
        self.words(EDGE, EDGE + 10.0, 16.0, "start", "", true, &picture.title);
        self.words(EDGE, EDGE + 10.0 + LINE + 4.0, SMALL, "start", "soft", false, &picture.subtitle);
    }

    #[expect(clippy::too_many_arguments, reason = "a text has a place, a size and a look")]
    fn words(&mut self, x: f64, y: f64, size: f64, anchor: &str, class: &str, bold: bool, text: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let bold = if bold { " font-weight=\"bold\"" } else { "" };
        self.text += &format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\"{class}{bold}>{}</text>\n",
            escaped(text)
        );
    }

    fn node(&mut self, node: &Node, room: &Room) {
        let (top, bottom) = (room.y + room.label, room.y + room.height);
        self.shape(node.kind, node.modality.as_deref(), room.x, top, room.inner, bottom - top);
        let mut y = top + 7.0 + 11.5;
        self.words(room.x, y, NAME, "middle", "", true, &node.title);
        for line in &node.details {
            y += LINE;
            self.words(room.x, y, SMALL, "middle", "soft", false, line);
        }
        if let Some((name, ty)) = &node.result {
            self.words(room.x, room.y + 11.0, SMALL, "middle", "", false, name);
            self.words(room.x, room.y + 24.0, SMALL, "middle", "soft", false, ty);
        }
    }

    fn shape(&mut self, kind: Kind, modality: Option<&str>, x: f64, top: f64, width: f64, height: f64) {
        let left = x - width / 2.0;
        let class = match (kind, modality) {
            (Kind::Loss, _) => "loss",
            (Kind::State, _) => "state",
            (_, Some(known @ ("image" | "text" | "fused"))) => known,
            _ => "box",
        };
        let (round, dash, thick) = match kind {
            Kind::Input => (height / 2.0, "", 1.2),
            Kind::Module | Kind::State => (4.0, "", 1.6),
            Kind::Frozen => (4.0, " stroke-dasharray=\"2 2\"", 1.2),
            Kind::Value => (10.0, "", 0.8),
            Kind::Twin => (4.0, " stroke-dasharray=\"6 4\"", 1.4),
            Kind::Loss => (height / 2.0, "", 1.8),
        };
        self.text += &format!(
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{round:.1}\" \
             stroke-width=\"{thick}\"{dash}/>\n"
        );
        if kind == Kind::State {
            self.text += &format!(
                "<path class=\"state\" d=\"M{:.1} {:.1}h{:.1}\" stroke-width=\"1\"/>\n",
                left,
                top + 4.0,
                width
            );
        }
    }

    fn lines(&mut self, layers: &Layers, placed: &Placed) {
        let row = rows_of(layers);
        for (number, link) in layers.links.iter().enumerate() {
            let (from, to) = (&placed.rooms[link.from], &placed.rooms[link.to]);
            let lower_top = placed.rows[row[link.from]].0;
            let upper_bottom = placed.rows[row[link.to]].1;
            let is_box = matches!(layers.slots[link.to], Slot::Box(_));
            let x = port(layers, placed, number);
            let end = if is_box { to.y + to.height } else { upper_bottom };
            let start = from.y.min(placed.rows[row[link.from]].1);
            let middle = (lower_top + upper_bottom) / 2.0;
            let tip = if is_box { 6.0 } else { 0.0 };
            let (dash, through) =
                (dash(link.style), if is_box { end + tip } else { placed.rows[row[link.to]].0 });
            self.text += &format!(
                "<path class=\"line\" stroke-width=\"1.3\"{dash} d=\"M{:.1} {start:.1}V{lower_top:.1}C{:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {upper_bottom:.1}V{through:.1}\"/>\n",
                from.x, from.x
            );
            if is_box {
                self.text += &format!("<path class=\"tip\" d=\"M{x:.1} {end:.1}l-4 8h8z\"/>\n");
            }
        }
        for arrow in &layers.back {
            let (from, to) = (&placed.rooms[arrow.from], &placed.rooms[arrow.to]);
            let (x, y) = (to.x + to.inner / 2.0, to.y + to.label + (to.height - to.label) / 2.0);
            let right = x.max(from.x + from.width / 2.0) + 14.0;
            self.text += &format!(
                "<path class=\"line\" stroke-width=\"1.3\"{} d=\"M{:.1} {:.1}C{right:.1} {:.1} {right:.1} {y:.1} {:.1} {y:.1}\"/>\n\
                 <path class=\"tip\" d=\"M{x:.1} {y:.1}l8 -4v8z\"/>\n",
                dash(arrow.style),
                from.x + from.inner / 2.0,
                from.y + from.label + 8.0,
                from.y + from.label + 8.0,
                x + 6.0
            );
        }
    }

    fn legend(&mut self, rows: &[Vec<Entry>], top: f64) {
        for (number, row) in rows.iter().enumerate() {
            let (mut x, y) = (EDGE, top + 22.0 * number as f64);
            for entry in row {
                match entry.mark {
                    Mark::Box(kind, modality) => self.shape(kind, modality, x + 11.0, y - 6.0, 22.0, 12.0),
                    Mark::Line(style) => {
                        self.text += &format!(
                            "<path class=\"line\" stroke-width=\"1.3\"{} d=\"M{x:.1} {y:.1}h18\"/>\n<path class=\"tip\" d=\"M{:.1} {y:.1}l-8 -4v8z\"/>\n",
                            dash(style),
                            x + 24.0
                        );
                    }
                }
                self.words(x + 30.0, y + 4.0, SMALL, "start", "soft", false, entry.text);
                x += entry.width();
            }
        }
    }
}

fn dash(style: Style) -> &'static str {
    match style {
        Style::Flow => "",
        Style::Instead => " stroke-dasharray=\"1.5 3\"",
        Style::Next => " stroke-dasharray=\"7 4\"",
    }
}

fn rows_of(layers: &Layers) -> Vec<usize> {
    let mut row = vec![0; layers.slots.len()];
    for (number, slots) in layers.rows.iter().enumerate() {
        slots.iter().for_each(|slot| row[*slot] = number);
    }
    row
}

/// Where a line arrives: lines into one box stand side by side in the order of where they come from.
fn port(layers: &Layers, placed: &Placed, number: usize) -> f64 {
    let link = layers.links[number];
    let to = &placed.rooms[link.to];
    if matches!(layers.slots[link.to], Slot::Point(..)) {
        return to.x;
    }
    let mut beside: Vec<usize> =
        (0..layers.links.len()).filter(|at| layers.links[*at].to == link.to).collect();
    beside.sort_by(|a, b| {
        placed.rooms[layers.links[*a].from].x.total_cmp(&placed.rooms[layers.links[*b].from].x)
    });
    let place = beside.iter().position(|at| *at == number).unwrap_or(0) as f64;
    let count = beside.len() as f64;
    let room = (to.inner - 24.0).max(0.0).min(18.0 * (count - 1.0));
    if count < 2.0 { to.x } else { to.x - room / 2.0 + room * place / (count - 1.0) }
}

#[derive(Clone, Copy)]
enum Mark {
    Box(Kind, Option<&'static str>),
    Line(Style),
}

#[derive(Clone, Copy)]
struct Entry {
    mark: Mark,
    text: &'static str,
}

impl Entry {
    fn width(&self) -> f64 {
        30.0 + letters(self.text, SMALL) + 22.0
    }
}

/// What the picture uses, explained.
struct Legend(Vec<Entry>);

impl Legend {
    fn of(picture: &Picture) -> Self {
        let boxes = [
            (Kind::Input, "input"),
            (Kind::Module, "module"),
            (Kind::Frozen, "frozen module"),
            (Kind::Value, "value"),
            (Kind::State, "state"),
            (Kind::Twin, "slow copy"),
            (Kind::Loss, "loss"),
        ];
        let lines = [
            (Style::Flow, "is read"),
            (Style::Instead, "in a second pass, instead of another value"),
            (Style::Next, "kept for the next step"),
        ];
        let colours = [("image", "image"), ("text", "text"), ("fused", "both")];
        let has = |kind: Kind| picture.nodes.iter().any(|node| node.kind == kind);
        let boxes = boxes
            .into_iter()
            .filter(|(kind, _)| has(*kind))
            .map(|(kind, text)| Entry { mark: Mark::Box(kind, None), text });
        let seen = |label: &str| picture.nodes.iter().any(|node| node.modality.as_deref() == Some(label));
        let colours = colours
            .into_iter()
            .filter(|(label, _)| seen(label))
            .map(|(label, text)| Entry { mark: Mark::Box(Kind::Module, Some(label)), text });
        let used = |style: Style| picture.arrows.iter().any(|arrow| arrow.style == style);
        let lines = lines
            .into_iter()
            .filter(|(style, _)| used(*style))
            .map(|(style, text)| Entry { mark: Mark::Line(style), text });
        Self(boxes.chain(colours).chain(lines).collect())
    }

    /// Entries in rows of a width.
    fn rows(&self, width: f64) -> Vec<Vec<Entry>> {
        let mut rows: Vec<Vec<Entry>> = vec![Vec::new()];
        let mut used = 0.0;
        for entry in &self.0 {
            if used + entry.width() > width && used > 0.0 {
                rows.push(Vec::new());
                used = 0.0;
            }
            used += entry.width();
            if let Some(row) = rows.last_mut() {
                row.push(*entry);
            }
        }
        rows
    }
}
