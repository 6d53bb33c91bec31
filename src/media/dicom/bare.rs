//! Data sets without preamble and file meta: what some archives and old exports hold.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, FileMetaTableBuilder, InMemDicomObject};
use dicom_transfer_syntax_registry::entries::{
    EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN,
};
use std::path::Path;

/// A bare data set larger than this would have come with its meta information.
const MOST: u64 = 256 << 20;

/// Reads a file that begins with its first attribute, of group 0008.
pub fn open(path: &Path) -> Option<DefaultDicomObject> {
    if std::fs::metadata(path).ok()?.len() > MOST {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    let explicit = bytes.get(4..6)?.iter().all(u8::is_ascii_uppercase);
    let syntax = match (bytes.get(..2)?, explicit) {
        ([8, 0], true) => EXPLICIT_VR_LITTLE_ENDIAN.erased(),
        ([8, 0], false) => IMPLICIT_VR_LITTLE_ENDIAN.erased(),
        ([0, 8], true) => EXPLICIT_VR_BIG_ENDIAN.erased(),
        _ => return None,
    };
    let object = InMemDicomObject::read_dataset_with_ts(&bytes[..], &syntax).ok()?;
    let text = |tag: Tag| {
        let element = object.element_opt(tag).ok()??;
        Some(element.to_str().ok()?.into_owned())
    };
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(syntax.uid())
        .media_storage_sop_class_uid(text(tags::SOP_CLASS_UID).unwrap_or_default())
        .media_storage_sop_instance_uid(text(tags::SOP_INSTANCE_UID).unwrap_or_default());
    object.with_meta(meta).ok()
}
