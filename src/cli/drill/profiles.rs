use super::{DataArgs, told};
use crate::drill::profile;
use serde_json::json;

#[derive(clap::Args)]
#[command(after_help = "Example: echoif drill profiles")]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args)]
#[command(after_help = "Example: echoif drill delete \"trainee 1\"")]
pub struct DeleteArgs {
    alias: String,
    #[command(flatten)]
    data: DataArgs,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let all = profile::list(&args.data.profiles()?)?;
    if args.json {
        println!("{}", json!({ "profiles": all }));
        return Ok(());
    }
    for profile in &all {
        let last = profile.last.as_deref().unwrap_or("never");
        println!(
            "{}: {} answers, the last {last}",
            profile.alias, profile.answers
        );
    }
    if all.is_empty() {
        println!("There are no profiles.");
    }
    Ok(())
}

pub fn delete(args: &DeleteArgs) -> anyhow::Result<()> {
    profile::delete(&args.data.profiles()?, &args.alias).map_err(told)?;
    if args.json {
        println!("{}", json!({ "deleted": args.alias }));
    } else {
        println!("The profile is deleted, with every answer of it.");
    }
    Ok(())
}
