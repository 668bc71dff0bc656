//! Which files: Landlock.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};

use super::{Sandbox, SandboxError};

/// Where Linux keeps shared libraries. Absent ones are skipped.
const LIBRARIES: [&str; 5] = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64"];
/// Files that libraries read: the loader's cache, randomness, and the layout of memory nodes that encoders ask for.
const READ_BY_LIBRARIES: [&str; 3] = ["/etc/ld.so.cache", "/dev/urandom", "/sys/devices/system"];

/// The newest rules used here; the kernel may know fewer.
const NEWEST: ABI = ABI::V6;

pub(super) struct InForce {
    pub(super) version: u32,
}

pub(super) fn apply(sandbox: &Sandbox) -> Result<InForce, SandboxError> {
    let refused = SandboxError::Landlock;
    // Version 1 is required, whatever came later is used where the kernel has it.
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .map_err(|_| SandboxError::NoLandlock)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|r| r.handle_access(AccessNet::from_all(NEWEST)))
        .and_then(|r| r.scope(Scope::from_all(NEWEST)))
        .map_err(refused)?;

    let library = AccessFs::ReadFile | AccessFs::Execute;
    let write = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
    let mut rules = ruleset
        .create()
        .map_err(refused)?
        .add_rules(path_beneath_rules(LIBRARIES, library))
        .and_then(|r| {
            r.add_rules(path_beneath_rules(READ_BY_LIBRARIES, AccessFs::ReadFile | AccessFs::ReadDir))
        })
        .and_then(|r| {
            r.add_rules(path_beneath_rules(["/dev/null"], AccessFs::ReadFile | AccessFs::WriteFile))
        })
        .map_err(refused)?;
    rules = rules.add_rule(rule(&sandbox.program, library)?).map_err(refused)?;
    for path in &sandbox.read {
        rules = rules.add_rule(rule(path, AccessFs::ReadFile.into())?).map_err(refused)?;
    }
    for path in &sandbox.write {
        rules = rules.add_rule(rule(path, write)?).map_err(refused)?;
    }
    if let Some(path) = &sandbox.device {
        let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
        rules = rules.add_rule(rule(path, device)?).map_err(refused)?;
    }
    let status = rules.restrict_self().map_err(refused)?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _)
        | (_, LandlockStatus::NotEnabled | LandlockStatus::NotImplemented) => Err(SandboxError::NoLandlock),
        (_, LandlockStatus::Available { effective_abi, .. }) => Ok(InForce { version: effective_abi as u32 }),
    }
}

fn rule(path: &std::path::Path, access: BitFlags<AccessFs>) -> Result<PathBeneath<PathFd>, SandboxError> {
    let fd = PathFd::new(path).map_err(|source| SandboxError::Path { path: path.into(), source })?;
    Ok(PathBeneath::new(fd, access))
}

/// Landlock's version in this kernel.
#[expect(unsafe_code, reason = "the version question has no safe wrapper")]
pub(super) fn version() -> Option<u32> {
    const CREATE_RULESET_VERSION: libc::c_uint = 1;
    // SAFETY: with this flag the kernel reads no pointer and only answers its version.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<u8>(),
            0usize,
            CREATE_RULESET_VERSION,
        )
    };
    u32::try_from(answer).ok().filter(|v| *v > 0)
}
