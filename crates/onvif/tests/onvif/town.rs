//! Two hosts on one cable: network namespaces, so that multicast is real and nobody else's.

use std::fs::File;
use std::future::Future;
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where the cameras are, and where whoever looks for them is.
#[derive(Debug, Clone, Copy)]
pub enum Side {
    Street,
    Office,
}

impl Side {
    pub fn address(self) -> Ipv4Addr {
        match self {
            Self::Street => Ipv4Addr::new(198, 51, 100, 2),
            Self::Office => Ipv4Addr::new(198, 51, 100, 1),
        }
    }
}

/// Both namespaces, gone when dropped.
pub struct Town {
    name: String,
}

impl Town {
    /// None, in words, where namespaces cannot be made and this is not CI.
    pub fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("plc{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let town = Self { name };
        match town.build() {
            Ok(()) => Some(town),
            Err(why) => {
                assert!(std::env::var_os("CI").is_none(), "network namespaces cannot be made: {why}");
                eprintln!(
                    "SKIPPED: network namespaces cannot be made here (root and iproute2 are needed): {why}"
                );
                None
            }
        }
    }

    fn build(&self) -> Result<(), String> {
        let (office, street) = (self.namespace(Side::Office), self.namespace(Side::Street));
        for space in [&office, &street] {
            ip(&["netns", "add", space])?;
        }
        ip(&[
            "-n", &office, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", &street,
        ])?;
        for side in [Side::Office, Side::Street] {
            let space = self.namespace(side);
            ip(&["-n", &space, "address", "add", &format!("{}/24", side.address()), "dev", "cable"])?;
            ip(&["-n", &space, "link", "set", "lo", "up"])?;
            ip(&["-n", &space, "link", "set", "cable", "up"])?;
            // As a host with a gateway has; without it the system could not choose an interface.
            ip(&["-n", &space, "route", "add", "default", "dev", "cable"])?;
        }
        Ok(())
    }

    fn namespace(&self, side: Side) -> String {
        format!("{}{}", self.name, if matches!(side, Side::Street) { "s" } else { "o" })
    }

    /// Runs `work` on a thread on that side; its sockets are of that host.
    pub fn at<T: Send + 'static, F: Future<Output = T>>(
        &self,
        side: Side,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> thread::JoinHandle<T> {
        let space = File::open(format!("/run/netns/{}", self.namespace(side))).unwrap();
        thread::spawn(move || {
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(work())
        })
    }

    /// A command on that side.
    pub fn command(&self, side: Side, command: &Command) -> Command {
        let mut inside = Command::new("ip");
        inside
            .args(["netns", "exec", &self.namespace(side)])
            .arg(command.get_program())
            .args(command.get_args());
        for (key, value) in command.get_envs() {
            inside.env(key, value.unwrap());
        }
        if let Some(folder) = command.get_current_dir() {
            inside.current_dir(folder);
        }
        inside
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        for side in [Side::Office, Side::Street] {
            let _ = ip(&["netns", "delete", &self.namespace(side)]);
        }
    }
}

fn ip(args: &[&str]) -> Result<(), String> {
    let done = Command::new("ip").args(args).output().map_err(|e| format!("no program `ip`: {e}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&done.stderr).trim()))
}
