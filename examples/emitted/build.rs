//! Writes `clip.rs`: the small CLIP in dfdx types.

fn main() -> Result<(), chiasm::build::BuildError> {
    chiasm::build::emit("../../models/tiny/clip.chi")?;
    Ok(())
}
