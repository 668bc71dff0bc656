//! What only the kernel can promise: a sandbox for programs that parse foreign bytes, and memory that stays private.
//!
//! The sandbox is made of Landlock (which files), seccomp (which system calls) and resource limits (how much), and is
//! entered by a process of our own that then becomes the program: `placet sandbox-exec … -- ffmpeg …`. See
//! [`sandbox::Sandbox`] for what is in force afterwards.
//!
//! This crate may use `unsafe`; each use says why it is sound.

pub mod process;
pub mod sandbox;
