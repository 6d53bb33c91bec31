//! The manual inside the program: the pages of `docs/manual.md`, with pictures that tests keep true.

use super::app::App;
use super::theme::{GAP, tokens};
use egui::{ColorImage, RichText, TextureHandle, TextureOptions, Ui, Vec2};
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use std::collections::HashMap;

const TEXT: &str = include_str!("../../docs/manual.md");

/// The pictures, by the names that the text has for them.
const PICTURES: [(&str, &[u8]); 8] = [
    ("explore", include_bytes!("../../docs/manual/explore.png")),
    ("gallery", include_bytes!("../../docs/manual/gallery.png")),
    ("wipe", include_bytes!("../../docs/manual/wipe.png")),
    ("m_mode", include_bytes!("../../docs/manual/m_mode.png")),
    ("pinned", include_bytes!("../../docs/manual/pinned.png")),
    ("calipers", include_bytes!("../../docs/manual/calipers.png")),
    ("ladder", include_bytes!("../../docs/manual/ladder.png")),
    ("export", include_bytes!("../../docs/manual/export.png")),
];

/// The manual, while it is open.
pub(super) struct Manual {
    pages: Vec<Page>,
    at: usize,
    textures: HashMap<String, TextureHandle>,
}

#[derive(Debug, Default, PartialEq)]
struct Page {
    title: String,
    blocks: Vec<Block>,
}

#[derive(Debug, PartialEq)]
enum Block {
    Words(Vec<Piece>),
    /// A line of a list.
    Item(Vec<Piece>),
    /// Its name, and what it shows.
    Picture(String, String),
}

#[derive(Debug, PartialEq)]
enum Piece {
    Plain(String),
    Strong(String),
    Code(String),
}

impl Default for Manual {
    fn default() -> Self {
        Self {
            pages: pages(TEXT),
            at: 0,
            textures: HashMap::new(),
        }
    }
}

/// A heading of the second level begins a page; what stands before the first is for who reads the file.
fn pages(text: &str) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    let (mut pieces, mut strong, mut in_item) = (Vec::new(), false, false);
    let (mut title, mut picture): (Option<String>, Option<(String, String)>) = (None, None);
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Heading {
                level: HeadingLevel::H2,
                ..
            }) => title = Some(String::new()),
            Event::End(TagEnd::Heading(HeadingLevel::H2)) => pages.push(Page {
                title: title.take().unwrap_or_default(),
                blocks: Vec::new(),
            }),
            Event::Start(Tag::Strong | Tag::Emphasis) => strong = true,
            Event::End(TagEnd::Strong | TagEnd::Emphasis) => strong = false,
            Event::Start(Tag::Item) => in_item = true,
            Event::Start(Tag::Image { dest_url, .. }) => {
                let name = dest_url.trim_start_matches("manual/");
                let name = name.trim_end_matches(".png").to_owned();
                picture = Some((name, String::new()));
            }
            Event::Text(text) => match (&mut title, &mut picture) {
                (Some(title), _) => title.push_str(&text),
                (None, Some((_, shows))) => shows.push_str(&text),
                (None, None) if strong => pieces.push(Piece::Strong(text.into_string())),
                (None, None) => pieces.push(Piece::Plain(text.into_string())),
            },
            Event::Code(text) => pieces.push(Piece::Code(text.into_string())),
            Event::SoftBreak | Event::HardBreak => pieces.push(Piece::Plain(" ".into())),
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::Image) => {
                let block = match (picture.take(), in_item) {
                    (Some((name, shows)), _) => Block::Picture(name, shows),
                    (None, _) if pieces.is_empty() => continue,
                    (None, true) => Block::Item(std::mem::take(&mut pieces)),
                    (None, false) => Block::Words(std::mem::take(&mut pieces)),
                };
                if let Some(page) = pages.last_mut() {
                    page.blocks.push(block);
                }
                pieces.clear();
                in_item = in_item && !matches!(event, Event::End(TagEnd::Item));
            }
            _ => {}
        }
    }
    pages
}

impl App {
    pub(super) fn manual_sheet(&mut self, ctx: &egui::Context) {
        let Some(manual) = &mut self.manual else {
            return;
        };
        let mut open = true;
        let screen = ctx.content_rect().size();
        egui::Window::new("Manual")
            .open(&mut open)
            .collapsible(false)
            .resizable(false)
            .anchor(egui::Align2::CENTER_CENTER, Vec2::ZERO)
            .fixed_size([0.8 * screen.x, 0.75 * screen.y])
            .show(ctx, |ui| manual.show(ui));
        if !open {
            self.manual = None;
        }
    }
}

impl Manual {
    fn show(&mut self, ui: &mut Ui) {
        let height = ui.available_height();
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(190.0);
                for (i, page) in self.pages.iter().enumerate() {
                    let text = format!("{}  {}", i + 1, page.title);
                    if ui.selectable_label(i == self.at, text).clicked() {
                        self.at = i;
                    }
                }
            });
            ui.separator();
            ui.vertical(|ui| {
                egui::ScrollArea::vertical()
                    .id_salt(self.at)
                    .max_height(height)
                    .auto_shrink(false)
                    .show(ui, |ui| {
                        ui.set_max_width(ui.available_width().min(760.0));
                        self.page(ui);
                    });
            });
        });
    }

    fn page(&mut self, ui: &mut Ui) {
        let Some(page) = self.pages.get(self.at) else {
            return;
        };
        ui.label(RichText::new(&page.title).strong().size(19.0));
        ui.add_space(GAP / 2.0);
        for block in &page.blocks {
            match block {
                Block::Words(pieces) => words(ui, pieces),
                Block::Item(pieces) => {
                    ui.horizontal_top(|ui| {
                        ui.label("\u{2022}");
                        ui.vertical(|ui| words(ui, pieces));
                    });
                }
                Block::Picture(name, shows) => {
                    picture(ui, &mut self.textures, name, shows);
                }
            }
            ui.add_space(GAP / 2.0);
        }
    }
}

fn words(ui: &mut Ui, pieces: &[Piece]) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for piece in pieces {
            let text = match piece {
                Piece::Plain(text) => RichText::new(text),
                Piece::Strong(text) => RichText::new(text).strong(),
                Piece::Code(text) => RichText::new(text).monospace(),
            };
            ui.label(text.size(14.5));
        }
    });
}

/// A picture across the page, with what it shows below it.
fn picture(ui: &mut Ui, held: &mut HashMap<String, TextureHandle>, name: &str, shows: &str) {
    if !held.contains_key(name) {
        let bytes = PICTURES.iter().find(|(own, _)| *own == name);
        let decoded = bytes.and_then(|(_, bytes)| image::load_from_memory(bytes).ok());
        let Some(decoded) = decoded.map(|d| d.to_rgba8()) else {
            return;
        };
        let size = [decoded.width() as usize, decoded.height() as usize];
        let pixels = ColorImage::from_rgba_unmultiplied(size, &decoded);
        let options = TextureOptions::LINEAR.with_mipmap_mode(Some(egui::TextureFilter::Linear));
        let texture = ui
            .ctx()
            .load_texture(format!("manual {name}"), pixels, options);
        held.insert(name.to_owned(), texture);
    }
    if let Some(texture) = held.get(name) {
        let picture = egui::Image::new(texture).max_width(ui.available_width());
        let response = ui.add(picture.corner_radius(4));
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, shows));
    }
    let shows = RichText::new(shows).color(tokens(ui).muted).size(12.5);
    ui.add(egui::Label::new(shows).wrap());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_ten_pages_and_each_of_its_pictures() {
        let pages = pages(TEXT);
        assert_eq!(pages.len(), 10);
        assert!(
            pages
                .iter()
                .all(|p| !p.title.is_empty() && !p.blocks.is_empty())
        );
        let named: Vec<&str> = pages
            .iter()
            .flat_map(|p| &p.blocks)
            .filter_map(|block| match block {
                Block::Picture(name, shows) if !shows.is_empty() => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(named, PICTURES.map(|(name, _)| name));
        for (name, bytes) in PICTURES {
            assert!(image::load_from_memory(bytes).is_ok(), "{name}");
        }
    }

    #[test]
    fn words_of_the_file_become_pages_lines_and_pictures() {
        let text = "# Not this\n\nnor this\n\n## One\n\nA *b* `c`.\n\n- first\n- second\n\n![Shown](manual/x.png)\n";
        let page = Page {
            title: "One".into(),
            blocks: vec![
                Block::Words(vec![
                    Piece::Plain("A ".into()),
                    Piece::Strong("b".into()),
                    Piece::Plain(" ".into()),
                    Piece::Code("c".into()),
                    Piece::Plain(".".into()),
                ]),
                Block::Item(vec![Piece::Plain("first".into())]),
                Block::Item(vec![Piece::Plain("second".into())]),
                Block::Picture("x".into(), "Shown".into()),
            ],
        };
        assert_eq!(pages(text), [page]);
    }

    #[test]
    fn keys_that_the_manual_names_are_those_of_the_commands() {
        use super::super::command::Command;
        use strum::IntoEnumIterator;
        let ctx = egui::Context::default();
        // A key by its name, or as it is printed on the keyboard.
        let names = Command::iter().map(|c| ctx.format_shortcut(&c.shortcut()));
        let plain = Command::iter().map(Command::shortcut);
        let plain = plain.filter(|s| s.modifiers.is_none());
        let printed = plain.map(|s| s.logical_key.symbol_or_name().to_owned());
        let keys: Vec<String> = names.chain(printed).collect();
        let pages = pages(TEXT);
        let blocks = pages.iter().flat_map(|p| &p.blocks);
        let mut seen = 0;
        for block in blocks {
            let (Block::Words(pieces) | Block::Item(pieces)) = block else {
                continue;
            };
            for piece in pieces {
                // Commands of the terminal are longer.
                if let Piece::Code(code) = piece
                    && !code.starts_with("echoif")
                {
                    assert!(keys.contains(code), "no command has the key {code}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 20, "{seen}");
    }
}
