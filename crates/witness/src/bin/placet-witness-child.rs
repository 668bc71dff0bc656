//! A witness for tests that kill it: `FOLDER POLICY SEED`, the seed as one number; prints its port. The product's own
//! command is `placet log witness`.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use placet_http::server::{Limits, serve};
use placet_tlog::note::WitnessSecret;
use placet_tlog::policy::Policy;
use placet_witness::server::{FileSystem, SystemClock, Witness, router};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, policy, seed] = args.as_slice() else { return Err("FOLDER POLICY SEED".into()) };
    let policy = Policy::parse(&std::fs::read(policy)?)?;
    let secret = WitnessSecret::generate("witness.example/killed", [seed.parse()?; 32])?;
    let folder = PathBuf::from(folder);
    let witness = Witness::open(&folder, secret, &policy, Box::new(FileSystem), Box::new(SystemClock))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        serve(listener, router(Arc::new(witness)), Limits::default(), std::future::pending()).await;
        Ok(())
    })
}
