use super::{Work, apng};
use crate::files::temporary_in;
use std::io::Write;
use std::path::Path;

/// Whether there is something of that name that is no empty folder.
pub fn is_taken(folder: &Path) -> bool {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => folder.exists(),
    }
}

/// A folder of numbered PNG files, each with the mark. The folder must be new or empty.
pub fn write(work: &Work<'_>, folder: &Path) -> Result<(), String> {
    let why = |e: std::io::Error| e.to_string();
    let parent = match folder.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    if is_taken(folder) {
        return Err("the folder is not empty".into());
    }
    if folder.exists() {
        std::fs::remove_dir(folder).map_err(why)?;
    }
    // Complete or not there: the folder gets its name when all frames are in it.
    let made = tempfile::Builder::new()
        .prefix(".echoif-")
        .tempdir_in(parent)
        .map_err(why)?;
    for (i, frame) in work.frames.iter().enumerate() {
        let bytes = apng::picture(work, std::slice::from_ref(frame)).map_err(|e| e.to_string())?;
        let mut file = temporary_in(made.path()).map_err(why)?;
        file.write_all(&bytes).map_err(why)?;
        let path = made.path().join(format!("frame_{i:03}.png"));
        file.persist(path).map_err(|e| e.error.to_string())?;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A temporary folder is private; this one is to be found.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(made.path(), open).map_err(why)?;
    }
    std::fs::rename(made.path(), folder).map_err(why)?;
    // It has moved: there is nothing left to remove.
    let _ = made.keep();
    Ok(())
}
