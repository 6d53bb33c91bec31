//! The stack machine that a pickle is a program for, with every instruction that would run code
//! left out.

mod calls;

use super::{Id, Node, Pickle};
use std::collections::HashMap;

/// No honest checkpoint has more values than this; it bounds memory.
const MAX_NODES: usize = 20_000_000;
/// Bytes of the names of classes and storages, of which every value has its own.
const MAX_NAME: usize = 256;

pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// Entries that were copied from one value into another.
    copied: usize,
}

type Outcome<T> = Result<T, String>;

/// A class; one whose name is longer than any means nothing here.
fn global(module: &str, name: &str) -> Node {
    match module.len() + name.len() <= MAX_NAME {
        true => Node::Global(format!("{module} {name}")),
        false => Node::Opaque,
    }
}

fn damaged<T>(what: &str) -> Outcome<T> {
    Err(what.to_owned())
}

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            copied: 0,
        }
    }

    fn take(&mut self, n: u64) -> Outcome<&'a [u8]> {
        let n = usize::try_from(n).map_err(|_| "a length does not fit")?;
        let end = self.at.checked_add(n).filter(|&e| e <= self.bytes.len());
        let Some(end) = end else {
            return damaged("it ends in the middle of a value");
        };
        let slice = &self.bytes[self.at..end];
        self.at = end;
        Ok(slice)
    }

    fn unsigned(&mut self, n: u64) -> Outcome<u64> {
        let bytes = self.take(n)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |acc, &b| (acc << 8) | u64::from(b)))
    }

    /// A little-endian two's complement number; more than eight bytes saturate to a large one.
    fn long(&mut self, n: u64) -> Outcome<i64> {
        let bytes = self.take(n)?;
        if bytes.len() > 8 {
            return Ok(i64::MAX);
        }
        let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        Ok(i64::from_le_bytes(wide))
    }

    fn line(&mut self) -> Outcome<&'a str> {
        let rest = &self.bytes[self.at..];
        let Some(end) = rest.iter().position(|&b| b == b'\n') else {
            return damaged("it ends in the middle of a line");
        };
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| "a line is not text".to_owned())
    }

    fn text(&mut self, n: u64) -> Outcome<()> {
        let bytes = self.take(n)?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.push(Node::Str(text))
    }

    fn push(&mut self, node: Node) -> Outcome<()> {
        if self.nodes.len() >= MAX_NODES {
            return damaged("it has too many values");
        }
        self.nodes.push(node);
        self.stack.push(self.nodes.len() - 1);
        Ok(())
    }

    fn pop(&mut self) -> Outcome<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return damaged("it takes a value that is not there");
        }
        self.stack
            .pop()
            .ok_or_else(|| "the stack is empty".to_owned())
    }

    fn top(&self) -> Outcome<Id> {
        match self.stack.last() {
            Some(&id) => Ok(id),
            None => damaged("it looks at a value that is not there"),
        }
    }

    fn pop_to_mark(&mut self) -> Outcome<Vec<Id>> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => damaged("it closes a group that was not opened"),
        }
    }

    fn tuple(&mut self, n: usize) -> Outcome<()> {
        let mut items = Vec::with_capacity(n);
        for _ in 0..n {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push(Node::Tuple(items))
    }

    fn extend(&mut self, items: Vec<Id>) -> Outcome<()> {
        let target = self.top()?;
        if let Node::List(list) = &mut self.nodes[target] {
            list.extend(items);
        }
        Ok(())
    }

    fn set_items(&mut self, items: &[Id]) -> Outcome<()> {
        let target = self.top()?;
        if let Node::Dict(dict) = &mut self.nodes[target] {
            dict.extend(items.as_chunks::<2>().0.iter().map(|[k, v]| (*k, *v)));
        }
        Ok(())
    }

    fn remember(&mut self, key: u64) -> Outcome<()> {
        let id = self.top()?;
        self.memo.insert(key, id);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Outcome<()> {
        match self.memo.get(&key) {
            Some(&id) => {
                self.stack.push(id);
                Ok(())
            }
            None => damaged("it refers to a value that was never stored"),
        }
    }

    pub(super) fn run(mut self) -> Outcome<Pickle> {
        loop {
            let op = self.take(1)?[0];
            match op {
                b'.' => break,
                0x80 => drop(self.take(1)?),
                0x95 => drop(self.take(8)?),
                b'(' => self.marks.push(self.stack.len()),
                b'0' => drop(self.pop()?),
                b'1' => drop(self.pop_to_mark()?),
                b'2' => {
                    let id = self.top()?;
                    self.stack.push(id);
                }
                b'N' => self.push(Node::None)?,
                0x88 => self.push(Node::Bool(true))?,
                0x89 => self.push(Node::Bool(false))?,
                b'I' | b'L' | b'F' => self.number_line(op)?,
                b'J' => {
                    let v = self.long(4)?;
                    self.push(Node::Int(v))?;
                }
                b'K' | b'M' => {
                    let v = self.unsigned(if op == b'K' { 1 } else { 2 })?;
                    self.push(Node::Int(v as i64))?;
                }
                0x8a | 0x8b => {
                    let n = self.unsigned(if op == 0x8a { 1 } else { 4 })?;
                    let v = self.long(n)?;
                    self.push(Node::Int(v))?;
                }
                b'G' => {
                    let mut bytes = [0; 8];
                    bytes.copy_from_slice(self.take(8)?);
                    self.push(Node::Float(f64::from_be_bytes(bytes)))?;
                }
                b'S' | b'V' => {
                    let text = self.line()?.trim_matches(['\'', '"']).to_owned();
                    self.push(Node::Str(text))?;
                }
                b'U' | b'C' | 0x8c => {
                    let n = self.unsigned(1)?;
                    self.text(n)?;
                }
                b'T' | b'B' | b'X' => {
                    let n = self.unsigned(4)?;
                    self.text(n)?;
                }
                0x8d | 0x8e | 0x96 => {
                    let n = self.unsigned(8)?;
                    self.text(n)?;
                }
                b']' | 0x8f => self.push(Node::List(Vec::new()))?,
                b')' => self.push(Node::Tuple(Vec::new()))?,
                b'}' => self.push(Node::Dict(Vec::new()))?,
                b'l' | 0x91 => {
                    let items = self.pop_to_mark()?;
                    self.push(Node::List(items))?;
                }
                b't' => {
                    let items = self.pop_to_mark()?;
                    self.push(Node::Tuple(items))?;
                }
                b'd' => {
                    let items = self.pop_to_mark()?;
                    self.push(Node::Dict(Vec::new()))?;
                    self.set_items(&items)?;
                }
                0x85..=0x87 => self.tuple(usize::from(op - 0x84))?,
                b'a' => {
                    let item = self.pop()?;
                    self.extend(vec![item])?;
                }
                b'e' | 0x90 => {
                    let items = self.pop_to_mark()?;
                    self.extend(items)?;
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set_items(&[key, value])?;
                }
                b'u' => {
                    let items = self.pop_to_mark()?;
                    self.set_items(&items)?;
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(global(module, name))?;
                }
                0x93 => self.stack_global()?,
                b'i' => {
                    self.line()?;
                    self.line()?;
                    self.pop_to_mark()?;
                    self.push(Node::Opaque)?;
                }
                b'o' => {
                    self.pop_to_mark()?;
                    self.push(Node::Opaque)?;
                }
                b'R' => self.reduce()?,
                0x81 => {
                    self.pop()?;
                    self.pop()?;
                    self.push(Node::Opaque)?;
                }
                0x92 => {
                    for _ in 0..3 {
                        self.pop()?;
                    }
                    self.push(Node::Opaque)?;
                }
                b'b' => drop(self.pop()?),
                b'P' => {
                    self.line()?;
                    self.push(Node::Opaque)?;
                }
                b'Q' => self.persistent()?,
                b'h' | b'j' => {
                    let key = self.unsigned(if op == b'h' { 1 } else { 4 })?;
                    self.recall(key)?;
                }
                b'q' | b'r' => {
                    let key = self.unsigned(if op == b'q' { 1 } else { 4 })?;
                    self.remember(key)?;
                }
                b'g' | b'p' => {
                    let line = self.line()?;
                    let key = line.parse().map_err(|_| "a reference is not a number")?;
                    if op == b'g' {
                        self.recall(key)?;
                    } else {
                        self.remember(key)?;
                    }
                }
                0x94 => self.remember(self.memo.len() as u64)?,
                _ => return Err(format!("it has an unknown instruction ({op:#04x})")),
            }
        }
        let root = self.pop()?;
        Ok(Pickle {
            nodes: self.nodes,
            root,
            length: self.at,
        })
    }

    fn number_line(&mut self, op: u8) -> Outcome<()> {
        let text = self.line()?.trim_end_matches('L');
        let node = match (op, text) {
            (b'I', "00") => Node::Bool(false),
            (b'I', "01") => Node::Bool(true),
            (b'F', _) => Node::Float(text.parse().map_err(|_| "a number is not one")?),
            _ => Node::Int(text.parse().map_err(|_| "a number is not one")?),
        };
        self.push(node)
    }

    fn stack_global(&mut self) -> Outcome<()> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (&self.nodes[module], &self.nodes[name]) {
            (Node::Str(module), Node::Str(name)) => {
                let class = global(module, name);
                self.push(class)
            }
            _ => damaged("a class has no name"),
        }
    }
}
