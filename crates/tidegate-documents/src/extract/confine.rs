//! The child's own limits, set before it reads: memory, time, files, output, and which system
//! calls it may make.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::Bounds;

/// Descriptors: the three standard ones and a few that libraries may open for a moment.
const DESCRIPTORS: u64 = 16;

/// Sets them. They hold for this process until it ends.
pub(super) fn confine(bounds: &Bounds) -> io::Result<()> {
    limit(Resource::As, bounds.memory_bytes)?;
    limit(Resource::Cpu, bounds.cpu_seconds)?;
    limit(Resource::Nofile, DESCRIPTORS)?;
    // Nothing may be written but the pipe, and no memory goes to disk when it dies.
    limit(Resource::Fsize, 0)?;
    limit(Resource::Core, 0)?;
    calls::confine()
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    Ok(setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?)
}

/// No network, no files, no other programs: such calls answer "not implemented".
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod calls {
    use std::collections::BTreeMap;
    use std::io;

    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, apply_filter,
    };

    const REFUSED: &[libc::c_long] = &[
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_openat,
        libc::SYS_openat2,
        libc::SYS_unlinkat,
        libc::SYS_renameat2,
        libc::SYS_linkat,
        libc::SYS_symlinkat,
        libc::SYS_mkdirat,
        libc::SYS_truncate,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kill,
        libc::SYS_mount,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_bpf,
        libc::SYS_keyctl,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        // Its flags can't be looked at; who gets this answer asks by `clone` instead.
        libc::SYS_clone3,
    ];

    #[cfg(target_arch = "x86_64")]
    const REFUSED_HERE: &[libc::c_long] = &[
        libc::SYS_open,
        libc::SYS_creat,
        libc::SYS_unlink,
        libc::SYS_rename,
        libc::SYS_renameat,
        libc::SYS_link,
        libc::SYS_symlink,
        libc::SYS_mkdir,
        libc::SYS_rmdir,
        libc::SYS_fork,
        libc::SYS_vfork,
    ];
    #[cfg(target_arch = "aarch64")]
    const REFUSED_HERE: &[libc::c_long] = &[libc::SYS_renameat];

    pub(super) fn confine() -> io::Result<()> {
        let program = program().map_err(io::Error::other)?;
        apply_filter(&program).map_err(io::Error::other)
    }

    fn program() -> Result<BpfProgram, seccompiler::BackendError> {
        let refused = REFUSED.iter().chain(REFUSED_HERE).map(|call| (*call, Vec::new()));
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = refused.collect();
        // A thread is fine, another process is not.
        let thread = u64::try_from(libc::CLONE_THREAD).unwrap_or_default();
        let no_thread = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), 0)?;
        rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![no_thread])?]);
        let not_implemented = SeccompAction::Errno(u32::try_from(libc::ENOSYS).unwrap_or(38));
        let arch = std::env::consts::ARCH.try_into()?;
        SeccompFilter::new(rules, SeccompAction::Allow, not_implemented, arch)?.try_into()
    }
}

/// Where there is no filter, the limits above are all that is claimed.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod calls {
    pub(super) fn confine() -> std::io::Result<()> {
        Ok(())
    }
}
