//! What is written stays: files are written under a temporary name, synced and renamed, so that none is
//! ever half there, not even after the power failed; logs grow by whole lines.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use tempfile::NamedTempFile;

pub mod head;
mod text;
pub mod yaml;

pub use text::{lines_of_rows, read_text, text_of, why_no_row};

/// What the name of a temporary file begins with.
pub const TEMPORARY: &str = ".echoif-";

/// A temporary file in `folder`, to be [put in place](put) when it is complete; readable as any new file
/// is.
///
/// # Errors
/// When the folder cannot be written to.
pub fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Less the user's mask; a temporary file alone would be private and stay so.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Gives a complete temporary file its name. The file's content is on the disk before its name is; the
/// name is once the folder is [synced](sync_folder).
///
/// # Errors
/// When the disk is full or fails.
pub fn put(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// Has the names in a folder on the disk. Windows keeps its own order, and opens no folders.
///
/// # Errors
/// When the disk fails.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(folder)?.sync_all() {
        // Some network file systems know no such thing: what can be done there was.
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) => {}
        synced => return synced,
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// The bytes of a file; none where there are more than `most`.
///
/// # Errors
/// When it cannot be read.
pub fn read_at_most(path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

/// Writes `bytes` to `path` in one step: afterwards there is what was there before, or all of it.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let mut file = temporary_in(folder)?;
    file.write_all(bytes)?;
    put(file, path)?;
    sync_folder(folder)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

/// Locks a file to this program while it has it open. `false` where another has it.
///
/// # Errors
/// When the system fails.
pub fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Some network file systems have no locks: what can be done there was.
        Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// A file that grows by lines. Each is written in one piece and on the disk before [`Log::append`]
/// returns; a program that dies leaves at most the beginning of its last line, which is never read.
#[derive(Debug)]
pub struct Log {
    file: File,
}

impl Log {
    /// Opens a log to add to it, or begins one.
    ///
    /// # Errors
    /// When it cannot be read and written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path)?;
        Self::of(file, path)
    }

    /// The same, and no other program has it while this lives; `None` where another has it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_alone(path: &Path) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path)?;
        match lock(&file)? {
            true => Self::of(file, path).map(Some),
            false => Ok(None),
        }
    }

    fn of(mut file: File, path: &Path) -> io::Result<Self> {
        let length = file.metadata()?.len();
        if length == 0 {
            sync_folder(folder_of(path))?;
        } else if last_byte(&mut file)? != b'\n' {
            // The rest of that line was lost: it is no line, and the next one is not to become its end.
            let whole = end_of_last_line(&mut file, length)?;
            file.set_len(whole)?;
            file.sync_data()?;
        }
        Ok(Self { file })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When the text is more than one line, or the disk is full or fails.
    pub fn append(&mut self, line: &str) -> io::Result<()> {
        if line.contains(['\n', '\r']) {
            let why = "a line of a log has no line breaks in it";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let whole = self.file.metadata()?.len();
        let written = self.file.write(format!("{line}\n").as_bytes());
        match written {
            Ok(n) if n == line.len() + 1 => self.file.sync_data(),
            // Part of a line is no line; where not even that can be undone, opening it again does.
            Ok(_) => {
                self.file.set_len(whole)?;
                Err(io::ErrorKind::WriteZero.into())
            }
            Err(e) => Err(e),
        }
    }

    /// The lines of a log, without one that is not complete; none where there is no log.
    ///
    /// # Errors
    /// When it cannot be read, or is not text.
    pub fn lines(path: &Path) -> io::Result<Vec<String>> {
        let mut bytes = match std::fs::read(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            bytes => bytes?,
        };
        let whole = bytes
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |at| at + 1);
        bytes.truncate(whole);
        let text = String::from_utf8(bytes);
        let text = text.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

fn last_byte(file: &mut File) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// Where the last complete line ends.
fn end_of_last_line(file: &mut File, length: u64) -> io::Result<u64> {
    const PIECE: u64 = 4096;
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        Read::by_ref(file)
            .take(end - start)
            .read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|&b| b == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_atomically(&path, b"first, and longer").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        // What cannot be put in place leaves what there was.
        let taken = folder.path().join("folder");
        std::fs::create_dir_all(taken.join("inside")).unwrap();
        assert!(write_atomically(&taken, b"third").is_err());
        assert!(taken.join("inside").is_dir());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_readable_as_others_are() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, usual) = (folder.path().join("a"), folder.path().join("b"));
        write_atomically(&ours, b"a").unwrap();
        std::fs::write(&usual, b"b").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }

    #[test]
    fn a_log_grows_by_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert_eq!(Log::lines(&path).unwrap(), Vec::<String>::new());
        let mut log = Log::open(&path).unwrap();
        log.append("{\"a\":1}").unwrap();
        log.append("").unwrap();
        assert!(log.append("two\nlines").is_err());
        drop(log);
        Log::open(&path).unwrap().append("after").unwrap();
        assert_eq!(Log::lines(&path).unwrap(), ["{\"a\":1}", "", "after"]);
        assert_eq!(std::fs::read(&path).unwrap(), b"{\"a\":1}\n\nafter\n");
    }

    #[test]
    fn what_a_lost_program_left_of_a_line_is_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        for (left, kept) in [
            ("one\ntw".to_owned(), vec!["one"]),
            ("tw".to_owned(), vec![]),
            ("one\n\u{fc}".to_owned(), vec!["one"]),
            (format!("one\n{}", "x".repeat(10_000)), vec!["one"]),
        ] {
            // The last byte of a letter of two, where it ends in one, is lost, too.
            let lost = usize::from(!left.is_ascii());
            std::fs::write(&path, &left.as_bytes()[..left.len() - lost]).unwrap();
            assert_eq!(Log::lines(&path).unwrap(), kept);
            Log::open(&path).unwrap().append("next").unwrap();
            let expected: Vec<&str> = kept.into_iter().chain(["next"]).collect();
            assert_eq!(Log::lines(&path).unwrap(), expected);
        }
    }

    /// Two programs that add to the same log do not mix their lines.
    #[test]
    fn lines_of_two_writers_stay_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::thread::scope(|scope| {
            for name in ["a", "b"] {
                let path = &path;
                scope.spawn(move || {
                    let mut log = Log::open(path).unwrap();
                    (0..50).for_each(|_| log.append(&name.repeat(200)).unwrap());
                });
            }
        });
        let lines = Log::lines(&path).unwrap();
        assert_eq!(lines.len(), 100);
        let whole = |line: &String| *line == "a".repeat(200) || *line == "b".repeat(200);
        assert!(lines.iter().all(whole));
    }
}
