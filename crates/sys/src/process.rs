//! Promises about our own process.

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Keeps this process's memory to itself: no core file, and no other process of the same user may attach to it or read
/// its memory through `/proc`. Call once, early, in any process that holds frames.
///
/// # Errors
/// Where the kernel refuses; then frames should not be read into this process.
pub fn harden_process() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), ..getrlimit(Resource::Core) })?;
    Ok(())
}

/// Gives memory of a megabyte and more back to the system as soon as it is freed, where the C library would keep it in
/// case it is asked for again. Frames that are used again are kept by whoever uses them.
pub fn return_large_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: `mallopt` takes two numbers and may be called at any time.
    #[expect(unsafe_code, reason = "the C library offers it no other way")]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20);
    }
}

/// Lets a closed standard output (`| head`) end this process without a word, as other filters do. Not for processes that
/// write to pipes of their own: those must live to see the error.
pub fn end_at_closed_output() {
    // SAFETY: the default action is set; no handler runs in our code.
    #[expect(unsafe_code, reason = "the standard library offers it no other way")]
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// Leaves the whole pages inside `memory` out of any core file (`MADV_DONTDUMP`), should one be written after all.
///
/// # Errors
/// Where the kernel refuses.
#[expect(unsafe_code, reason = "madvise on memory we hold exclusively")]
pub fn do_not_dump(memory: &mut [u8]) -> io::Result<()> {
    let page = rustix::param::page_size();
    let skip = memory.as_ptr().align_offset(page);
    let Some(rest) = memory.get_mut(skip..) else { return Ok(()) };
    let whole = rest.len() / page * page;
    if whole == 0 {
        return Ok(());
    }
    // SAFETY: the range is page-aligned and lies inside `memory`, which we borrow exclusively; the advice changes
    // neither its contents nor its mapping.
    unsafe { rustix::mm::madvise(rest.as_mut_ptr().cast(), whole, rustix::mm::Advice::LinuxDontDump) }?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_any_size_can_be_left_out_of_core_files() {
        for len in [0, 1, 4095, 4096, 1 << 20] {
            let mut memory = vec![7u8; len];
            do_not_dump(&mut memory).unwrap();
            assert!(memory.iter().all(|b| *b == 7));
        }
    }

    #[test]
    fn a_hardened_process_is_not_dumpable() {
        harden_process().unwrap();
        assert_eq!(rustix::process::dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
