use embouchure_inference::encoder::Card;
#[global_allocator] static A: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() { let a: Vec<String> = std::env::args().collect();
 let t = String::new;
 let mut files = vec![];
 if a.len() > 4 { for d in &a[4..] { files.extend(embouchure_training::recordings::training_files(std::path::Path::new(d)).unwrap()); } }
 println!("{} files", files.len());
 let t0 = std::time::Instant::now();
 let corpus = embouchure_training::corpus::Corpus::analyse(&files).unwrap();
 println!("{} minutes {:?}", corpus.minutes(), t0.elapsed());
 embouchure_training::encoder::train(embouchure_training::encoder::EncoderTraining { corpus, steps: a[1].parse().unwrap(), seed: 1, checkpoint: a[2].clone().into(), out: a[3].clone().into(), card: Card { name: "encoder".into(), licence: t(), author: t(), trained_on: t(), steps: 0, loss: 0.0, date: t() } }).unwrap(); }
