//! DICOM: Multi-frame Secondary Capture, gray, 8 bits (PS3.3 A.8.3), marked as synthetic.

use super::Work;
use crate::clip::Pixels;
use crate::media::mark::{Puppetry, place};
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

/// Nobody: viewers show it in place of a patient's name.
const NAME: &str = "SYNTHETIC^COUNTERFACTUAL";
const NAME_OF_DRAWN: &str = "SYNTHETIC^SIMULATED";
const STORAGE: &str = uids::MULTI_FRAME_GRAYSCALE_BYTE_SECONDARY_CAPTURE_IMAGE_STORAGE;

pub fn encode(work: &Work<'_>) -> Result<Vec<u8>, String> {
    let instance = new_uid();
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(STORAGE)
        .media_storage_sop_instance_uid(&instance);
    let object = data_set(work, &instance).with_meta(meta);
    let object = object.map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    object.write_all(&mut bytes).map_err(|e| e.to_string())?;
    Ok(bytes)
}

fn data_set(work: &Work<'_>, instance: &str) -> InMemDicomObject {
    let mut set = InMemDicomObject::new_empty();
    let mut put = |tag: Tag, vr: VR, value: PrimitiveValue| {
        set.put(DataElement::new(tag, vr, value));
    };
    let empty = || PrimitiveValue::Empty;
    let strings = |parts: &[&str]| PrimitiveValue::Strs(parts.iter().map(|&p| p.into()).collect());
    let us = PrimitiveValue::from;
    let drawn = work.mark.drawn.is_some();

    // SOP Common.
    put(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192".into());
    put(tags::SOP_CLASS_UID, VR::UI, STORAGE.into());
    put(tags::SOP_INSTANCE_UID, VR::UI, instance.into());
    put(tags::SYNTHETIC_DATA, VR::CS, "YES".into());
    // Patient: nobody.
    let name = if drawn { NAME_OF_DRAWN } else { NAME };
    put(tags::PATIENT_NAME, VR::PN, name.into());
    put(tags::PATIENT_ID, VR::LO, "SYNTHETIC".into());
    put(tags::PATIENT_BIRTH_DATE, VR::DA, empty());
    put(tags::PATIENT_SEX, VR::CS, empty());
    // General Study. No date: the source's is the patient's.
    put(tags::STUDY_INSTANCE_UID, VR::UI, new_uid().into());
    put(tags::STUDY_DATE, VR::DA, empty());
    put(tags::STUDY_TIME, VR::TM, empty());
    put(tags::REFERRING_PHYSICIAN_NAME, VR::PN, empty());
    put(tags::STUDY_ID, VR::SH, empty());
    put(tags::ACCESSION_NUMBER, VR::SH, empty());
    // General Series. No modality has seen it.
    put(tags::MODALITY, VR::CS, "OT".into());
    put(tags::SERIES_INSTANCE_UID, VR::UI, new_uid().into());
    put(tags::SERIES_NUMBER, VR::IS, "1".into());
    // An unpaired part, which has no laterality.
    put(tags::BODY_PART_EXAMINED, VR::CS, "HEART".into());
    put(
        tags::SERIES_DESCRIPTION,
        VR::LO,
        match work.mark.drawn.as_ref().map(|d| d.what) {
            Some(Puppetry::SimulatedHeart) => "Simulated echocardiogram".into(),
            Some(Puppetry::Puppet) => "Synthetic echocardiogram of one frame".into(),
            None => "Synthetic counterfactual echocardiogram".into(),
        },
    );
    // General Equipment, SC Equipment: a synthetic image.
    put(tags::MANUFACTURER, VR::LO, "EchoIf".into());
    put(
        tags::SOFTWARE_VERSIONS,
        VR::LO,
        work.mark.version.as_str().into(),
    );
    put(tags::CONVERSION_TYPE, VR::CS, "SYN".into());
    // General Image.
    put(tags::INSTANCE_NUMBER, VR::IS, "1".into());
    put(tags::PATIENT_ORIENTATION, VR::CS, empty());
    put(tags::IMAGE_TYPE, VR::CS, strings(&["DERIVED", "SECONDARY"]));
    put(
        tags::DERIVATION_DESCRIPTION,
        VR::ST,
        derivation(work).into(),
    );
    // SC Multi-frame Image.
    put(tags::BURNED_IN_ANNOTATION, VR::CS, "YES".into());
    put(tags::RECOGNIZABLE_VISUAL_FEATURES, VR::CS, "NO".into());
    put(tags::PRESENTATION_LUT_SHAPE, VR::CS, "IDENTITY".into());
    put(tags::RESCALE_INTERCEPT, VR::DS, "0".into());
    put(tags::RESCALE_SLOPE, VR::DS, "1".into());
    put(tags::RESCALE_TYPE, VR::LO, "US".into());
    // Multi-frame, Cine.
    let increment = PrimitiveValue::Tags([tags::FRAME_TIME].into_iter().collect());
    put(
        tags::NUMBER_OF_FRAMES,
        VR::IS,
        work.frames.len().to_string().into(),
    );
    put(tags::FRAME_INCREMENT_POINTER, VR::AT, increment);
    put(
        tags::FRAME_TIME,
        VR::DS,
        decimal(work.rate.frame_ms()).into(),
    );
    let rate = work.rate.fps().round().max(1.0);
    put(tags::CINE_RATE, VR::IS, rate.to_string().into());
    put(
        tags::RECOMMENDED_DISPLAY_FRAME_RATE,
        VR::IS,
        rate.to_string().into(),
    );
    // Image Pixel.
    put(tags::SAMPLES_PER_PIXEL, VR::US, us(1u16));
    put(
        tags::PHOTOMETRIC_INTERPRETATION,
        VR::CS,
        "MONOCHROME2".into(),
    );
    put(tags::ROWS, VR::US, us(work.height as u16));
    put(tags::COLUMNS, VR::US, us(work.width as u16));
    put(tags::BITS_ALLOCATED, VR::US, us(8u16));
    put(tags::BITS_STORED, VR::US, us(8u16));
    put(tags::HIGH_BIT, VR::US, us(7u16));
    put(tags::PIXEL_REPRESENTATION, VR::US, us(0u16));
    put(
        place::DICOM_CREATOR,
        VR::LO,
        place::DICOM_CREATOR_NAME.into(),
    );
    put(place::DICOM, VR::UT, work.mark.to_json().into());
    put(tags::PIXEL_DATA, VR::OB, pixels(work).into());
    set.put(DataElement::new(
        tags::CONTRIBUTING_EQUIPMENT_SEQUENCE,
        VR::SQ,
        DataSetSequence::from(vec![equipment(work)]),
    ));
    set
}

/// Frames one after the other, of an even length.
fn pixels(work: &Work<'_>) -> Vec<u8> {
    let gray = work.frames.iter().filter_map(|f| match &f.pixels {
        Pixels::Gray(pixels) => Some(pixels.as_slice()),
        Pixels::Rgb(_) => None,
    });
    let mut pixels = gray.collect::<Vec<_>>().concat();
    if pixels.len() % 2 == 1 {
        pixels.push(0);
    }
    pixels
}

/// How it was made, in words; at most 1024 characters.
fn derivation(work: &Work<'_>) -> String {
    if let Some(drawn) = &work.mark.drawn {
        let how = match drawn.what {
            Puppetry::SimulatedHeart => "a simulated heart, computed from a number",
            Puppetry::Puppet => "one frame, warped by its left ventricle's outline",
        };
        return format!(
            "Synthetic: {how}. Not a scan of a patient. EF {:.1} %, exactly, by the single-plane method of \
             disks; seed {}.",
            drawn.ef_percent, drawn.seed
        );
    }
    let p = &work.mark.provenance;
    let chosen = match p.best_of {
        0 | 1 => String::new(),
        n => format!(" Closest to the request of {n}."),
    };
    let conditioned = p.conditioning_ef_percent.map(|ef| {
        format!(" Calibrated: conditioned on EF {ef:.1} % so that it measures what is requested.")
    });
    let conditioned = conditioned.unwrap_or_default();
    let text = format!(
        "Synthetic: made by a cascaded diffusion model from one frame. Not a scan of a patient. \
         Requested EF {:.0} %, measured EF {:.1} % (regressor sha256 {}).{conditioned} \
         Cascade sha256 {}, preset {}, seed {}.{chosen}",
        p.requested_ef_percent,
        p.measured_ef_percent,
        p.regressor_sha256,
        p.cascade_sha256,
        p.preset,
        p.seed,
    );
    text.chars().take(1024).collect()
}

/// The program, as the equipment that synthesised (PS3.3 C.12.1.1.5).
fn equipment(work: &Work<'_>) -> InMemDicomObject {
    let mut purpose = InMemDicomObject::new_empty();
    for (tag, vr, text) in [
        (tags::CODE_VALUE, VR::SH, "109100"),
        (tags::CODING_SCHEME_DESIGNATOR, VR::SH, "DCM"),
        (tags::CODE_MEANING, VR::LO, "Synthesizing Equipment"),
    ] {
        purpose.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
    }
    let mut equipment = InMemDicomObject::new_empty();
    let version = &work.mark.version;
    let contribution = match work.mark.drawn.as_ref().map(|d| d.what) {
        Some(Puppetry::SimulatedHeart) => "Computed the whole picture.",
        Some(Puppetry::Puppet) => "Warped one frame; all of its motion is computed.",
        None => "Generated the whole picture from one frame and an ejection fraction.",
    };
    for (tag, vr, text) in [
        (tags::MANUFACTURER, VR::LO, "EchoIf"),
        (tags::MANUFACTURER_MODEL_NAME, VR::LO, "EchoIf"),
        (tags::SOFTWARE_VERSIONS, VR::LO, version.as_str()),
        (tags::CONTRIBUTION_DESCRIPTION, VR::ST, contribution),
    ] {
        equipment.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
    }
    equipment.put(DataElement::new(
        tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE,
        VR::SQ,
        DataSetSequence::from(vec![purpose]),
    ));
    equipment
}

/// A decimal string has at most 16 characters.
fn decimal(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.chars().take(16).collect()
}

/// A UID from a random UUID (PS3.5 B.2).
fn new_uid() -> String {
    format!("2.25.{}", uuid::Uuid::new_v4().as_u128())
}
