use crate::checkpoint;
use crate::engine::{BUILT_WITH_CUDA, DeviceChoice, OpenDevice, cascade_folders, search_places};
use crate::faults;
use serde_json::json;

#[derive(clap::Args)]
#[command(after_help = "Example: echoif doctor")]
pub struct Args {
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let cpu = OpenDevice::cpu(None);
    let cuda = OpenDevice::open(DeviceChoice::Cuda, None);
    let adapters = adapters();
    let display = display();
    let gib_of = |bytes: usize| bytes as f64 / f64::from(1 << 30);
    let gib = gib_of(cpu.available_memory());
    let found = cascade_folders();
    let places = search_places();
    let builtin = hashes();
    // Of this process, such as one of a driver that was just tried; else of the last that had one.
    let fault = faults::last().or_else(faults::kept);
    if args.json {
        let object = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "devices": {
                "cpu": cpu.name,
                "cuda": cuda.as_ref().ok().map(|d| &d.name),
                "cuda_missing": cuda.as_ref().err(),
                "built_with_cuda": BUILT_WITH_CUDA,
            },
            "display": display,
            "graphics_adapters": adapters,
            "memory_available_gib": gib,
            "builtin_cascade": checkpoint::card().name,
            "cascade_sha256": builtin.as_ref().map(|(cascade, _)| cascade),
            "regressor_sha256": builtin.as_ref().map(|(_, regressor)| regressor),
            "cascades": found,
            "last_fault": fault,
            "searched": places.iter().map(|(p, _)| p).collect::<Vec<_>>(),
        });
        println!("{object}");
        return Ok(());
    }
    let built = if BUILT_WITH_CUDA { "with" } else { "without" };
    println!("EchoIf {}, built {built} CUDA", env!("CARGO_PKG_VERSION"));
    println!("\nDevices");
    println!("  {}", cpu.name);
    match &cuda {
        Ok(device) => println!(
            "  {}, {:.1} GiB free",
            device.name,
            gib_of(device.available_memory())
        ),
        Err(why) => println!("  {why}"),
    }
    println!("  Memory available: {gib:.1} GiB");
    println!("\nWindow");
    match &display {
        Some(display) => println!("  Display: {display}"),
        None => println!(
            "  No display: the window cannot open here; `echoif generate` works without one."
        ),
    }
    if adapters.is_empty() {
        println!("  No graphics adapter: install a Vulkan driver (Debian: mesa-vulkan-drivers).");
    }
    for adapter in &adapters {
        println!("  Graphics adapter: {adapter}");
    }
    if let Some(fault) = &fault {
        println!("\nLast fault");
        println!("  {}, at {}", fault.message, fault.place);
        println!("  (EchoIf {})", fault.echoif_version);
    }
    println!("\nCascades");
    println!("  {} (inside the program)", checkpoint::card().name);
    for folder in &found {
        println!("  {}", folder.display());
    }
    println!("  Looked in:");
    println!("    --cascade DIR");
    for (place, why) in &places {
        println!("    {} ({why})", place.display());
    }
    if found.is_empty() {
        println!(
            "  No published cascade was found. Put a folder with `config.yaml` and `merged.pt` in\n  \
             one of these places; the authors publish 1SCM, 2SCM and 4SCM (see README.md)."
        );
    }
    Ok(())
}

/// Of the cascade and the regressor inside the program.
fn hashes() -> Option<(String, String)> {
    let device = candle_core::Device::Cpu;
    let cascade = checkpoint::builtin_cascade(&device).ok()?;
    let regressor = checkpoint::builtin_regressor(&device).ok()?;
    Some((cascade.identity.sha256, regressor.identity.sha256))
}

/// Names of the graphics adapters that the window could use.
pub fn adapters() -> Vec<String> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
        .iter()
        .map(|a| {
            let info = a.get_info();
            format!("{} ({:?}, {:?})", info.name, info.backend, info.device_type)
        })
        .collect()
}

/// The display that a window would open on.
pub fn display() -> Option<String> {
    if cfg!(not(all(unix, not(target_os = "macos")))) {
        return Some("the desktop's".into());
    }
    ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().find_map(|name| {
        let value = std::env::var(name).ok().filter(|v| !v.is_empty())?;
        Some(format!("{name}={value}"))
    })
}
