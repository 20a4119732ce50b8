use embouchure_inference::encoder::Card;
#[global_allocator] static A: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() { let a: Vec<String> = std::env::args().collect();
 let t = String::new;
 embouchure_training::encoder::train(embouchure_training::encoder::EncoderTraining { corpus: Default::default(), steps: a[1].parse().unwrap(), seed: 1, checkpoint: a[2].clone().into(), out: a[3].clone().into(), card: Card { name: "encoder".into(), licence: t(), author: t(), trained_on: t(), steps: 0, loss: 0.0, date: t() } }).unwrap(); }
