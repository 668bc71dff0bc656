//! Puts the gate's rules, as Rego, to regorus: the module and the cases on standard input, times on standard output.

use std::error::Error;
use std::time::{Duration, Instant};

use regorus::{Engine, Value};

const ROUNDS: usize = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    let all: serde_json::Value = serde_json::from_reader(std::io::stdin())?;
    let module = all["module"].as_str().ok_or("no module")?;
    let mut engine = Engine::new();
    engine.add_policy("gate.rego".to_owned(), module.to_owned())?;
    for case in all["cases"].as_array().ok_or("no cases")? {
        let name = case["name"].as_str().ok_or("no name")?;
        let input = case["input"].to_string();
        let mut times = Vec::with_capacity(ROUNDS);
        let mut alone = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            // As in our own measurement, what is asked is built each time.
            let start = Instant::now();
            engine.set_input(Value::from_json_str(&input)?);
            let built = Instant::now();
            let answer = engine.eval_rule("data.placet.allow".to_owned())?;
            times.push(start.elapsed());
            alone.push(built.elapsed());
            if answer != Value::from(case["allow"].as_bool().ok_or("no answer")?) {
                return Err(format!("{name}: regorus says {answer}, the gate {}", case["allow"]).into());
            }
        }
        println!("regorus, {name}: {}; evaluation alone {}", told(&mut times), told(&mut alone));
    }
    Ok(())
}

fn told(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1)).copied();
    format!("median {:?}, p99 {:?}", at(50).unwrap_or_default(), at(99).unwrap_or_default())
}
