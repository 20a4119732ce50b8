use embouchure_inference::instrument::Card;
#[global_allocator] static A: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() { let a: Vec<String> = std::env::args().collect();
 let t = String::new;
 let encoder = embouchure_inference::encoder::Encoder::from_bytes(&std::fs::read(&a[1]).unwrap()).unwrap();
 let files = embouchure_training::recordings::training_files(std::path::Path::new(&a[2])).unwrap();
 embouchure_training::instrument::train(embouchure_training::instrument::InstrumentTraining { files, encoder, steps: (a[3].parse().unwrap(), a[4].parse().unwrap()), seed: 1, checkpoint: a[5].clone().into(), out: a[6].clone().into(), card: Card { name: "trumpet".into(), family: "brass".into(), licence: t(), author: t(), trained_on: t(), minutes: 0.0, encoder_id: t(), width: 160, f0_range_hz: [0.0; 2], loudness_db: [0.0; 4], z_mean: vec![], z_std: vec![], loss: 0.0, date: "2026-11-22".into() } }).unwrap(); }
