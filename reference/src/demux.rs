//! The connection table: from a four-tuple to where its connection lives (RFC 9293 3.9.2.3, U-6 of 3.10.7).
//!
//! Open addressing with linear probing, eight octets for each cell: a part of the hash and the index. The four-tuple
//! itself is in the connection, which a packet needs anyway, so with very many connections a lookup reads one line of a
//! table that fits into a cache, and not one of a table that does not.

/// No connection has this index.
const VACANT: u32 = u32::MAX;
/// The least number of cells. Always a power of two.
const LEAST: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Cell {
    hash: u32,
    index: u32,
}

/// Indexes, to be found by the hash of what they stand for.
#[derive(Debug)]
pub(crate) struct Demux {
    cells: Vec<Cell>,
    len: usize,
}

impl Default for Demux {
    fn default() -> Self {
        Self { cells: vec![Cell { hash: 0, index: VACANT }; LEAST], len: 0 }
    }
}

impl Demux {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The index of that hash for which `is_it` says so.
    #[inline]
    pub(crate) fn find(&self, hash: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = self.home(hash);
        loop {
            let cell = self.cells[at];
            if cell.index == VACANT {
                return None;
            }
            if cell.hash == hash && is_it(cell.index) {
                return Some(cell.index);
            }
            at = self.after(at);
        }
    }

    pub(crate) fn insert(&mut self, hash: u32, index: u32) {
        // A quarter stays vacant, which keeps probing short.
        if (self.len + 1) * 4 > self.cells.len() * 3 {
            self.grow();
        }
        self.place(Cell { hash, index });
        self.len += 1;
    }

    /// Takes out the index of that hash, if it is there.
    pub(crate) fn remove(&mut self, hash: u32, index: u32) {
        let mut hole = self.home(hash);
        while self.cells[hole].index != index {
            if self.cells[hole].index == VACANT {
                return;
            }
            hole = self.after(hole);
        }
        self.len -= 1;
        // What lies behind moves up, unless that would carry it over its home.
        let mut at = hole;
        loop {
            at = self.after(at);
            let cell = self.cells[at];
            if cell.index == VACANT {
                break;
            }
            if self.distance(self.home(cell.hash), at) >= self.distance(hole, at) {
                self.cells[hole] = cell;
                hole = at;
            }
        }
        self.cells[hole].index = VACANT;
    }

    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.cells.len() - 1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.cells.len() - 1)
    }

    /// Steps from one cell forward to another.
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.cells.len() - 1)
    }

    fn place(&mut self, cell: Cell) {
        let mut at = self.home(cell.hash);
        while self.cells[at].index != VACANT {
            at = self.after(at);
        }
        self.cells[at] = cell;
    }

    #[cold]
    fn grow(&mut self) {
        let vacant = vec![Cell { hash: 0, index: VACANT }; self.cells.len() * 2];
        for cell in core::mem::replace(&mut self.cells, vacant) {
            if cell.index != VACANT {
                self.place(cell);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Names and their hashes: some share the whole hash, many the place, also around the end of the table.
    fn hash_of(name: u32) -> u32 {
        match name % 3 {
            0 => name % 7,
            1 => u32::MAX - name % 5,
            _ => name.wrapping_mul(0x9e37_79b9),
        }
    }

    #[test]
    fn it_finds_what_a_plain_map_finds() {
        let (mut demux, mut model) = (Demux::default(), BTreeMap::new());
        let mut word = 1u32;
        for step in 0..20_000 {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let name = (word >> 16) % 200;
            // Up to two hundred at first, then few again.
            let most = if step < 10_000 { 200 } else { 40 };
            match model.remove(&name) {
                Some(()) => demux.remove(hash_of(name), name),
                None if model.len() < most => {
                    model.insert(name, ());
                    demux.insert(hash_of(name), name);
                }
                None => demux.remove(hash_of(name), name),
            }
            assert_eq!(demux.len(), model.len());
            for name in (0..200).filter(|name| step % 100 == 0 || *name == word % 200) {
                let found = demux.find(hash_of(name), |index| index == name);
                assert_eq!(found.is_some(), model.contains_key(&name), "{name} after {step} steps");
            }
        }
        assert!(demux.cells.len() <= 512, "two hundred and a quarter vacant");
    }
}
