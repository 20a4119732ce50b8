//! The built CLAP file makes no system call in `process` when played live. A filter in the kernel stops every system
//! call of the audio thread; a signal handler records it and then makes it.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use embouchure_host::{Action, Change, ClapHost, Hooks, Host, Layout, Session, with_session};
use embouchure_tests::{Paced, bundled_clap, phrase};
use serde_json::json;
use std::arch::global_asm;
use std::ffi::{c_int, c_long, c_void};
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

// The only address from which the filter lets calls through. Arguments: the call's number and its six values.
global_asm!(
    ".globl embouchure_call",
    ".globl embouchure_called",
    "embouchure_call:",
    "mov rax, rdi",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "mov rdx, rcx",
    "mov r10, r8",
    "mov r8, r9",
    "mov r9, [rsp + 8]",
    "syscall",
    "embouchure_called:",
    "ret",
);

unsafe extern "C" {
    fn embouchure_call(number: i64, a: i64, b: i64, c: i64, d: i64, e: i64, f: i64) -> i64;
    static embouchure_called: u8;
}

static IS_WATCHED: AtomicBool = AtomicBool::new(false);
static N_CALLS: AtomicUsize = AtomicUsize::new(0);
/// Numbers of the first recorded calls.
static CALLS: [AtomicI64; 16] = [const { AtomicI64::new(-1) }; 16];

/// Records the stopped call, then makes it.
extern "C" fn on_call(_signal: c_int, _info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel hands a handler with SA_SIGINFO the registers of the thread it interrupted.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    let number = registers[libc::REG_RAX as usize];
    if IS_WATCHED.load(SeqCst) {
        let n = N_CALLS.fetch_add(1, SeqCst);
        if let Some(slot) = CALLS.get(n) {
            slot.store(number, SeqCst);
        }
    }
    let [a, b, c, d, e, f] = [libc::REG_RDI, libc::REG_RSI, libc::REG_RDX, libc::REG_R10, libc::REG_R8, libc::REG_R9]
        .map(|register| registers[register as usize]);
    // SAFETY: this is the call that the program was about to make.
    registers[libc::REG_RAX as usize] = unsafe { embouchure_call(number, a, b, c, d, e, f) };
}

/// From now on every system call of this thread goes through [`on_call`]. This cannot be undone.
fn stop_calls_of_this_thread() {
    let instruction = |code: u32, k: u32, jump_true: u8, jump_false: u8| libc::sock_filter {
        code: code as u16,
        jt: jump_true,
        jf: jump_false,
        k,
    };
    let load = |offset: u32| instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0);
    let skip_unless = |k: u32, n: u8| instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, k, 0, n);
    let answer = |action: u32| instruction(libc::BPF_RET | libc::BPF_K, action, 0, 0);
    let from = &raw const embouchure_called as u64;
    // Offsets in `seccomp_data`: the number at 0, the address after the instruction at 8 and 12.
    let mut filter = [
        load(0),
        skip_unless(libc::SYS_rt_sigreturn as u32, 1),
        answer(libc::SECCOMP_RET_ALLOW),
        load(8),
        skip_unless(from as u32, 3),
        load(12),
        skip_unless((from >> 32) as u32, 1),
        answer(libc::SECCOMP_RET_ALLOW),
        answer(libc::SECCOMP_RET_TRAP),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: all structures are as the kernel describes them and outlive the calls.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_call as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        assert_eq!(libc::sigaction(libc::SIGSYS, &action, std::ptr::null_mut()), 0);
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program), 0, "no filters here");
    }
}

/// Numbers of the calls that were made while watched.
fn calls() -> Vec<c_long> {
    CALLS.iter().take(N_CALLS.load(SeqCst)).map(|number| number.load(SeqCst)).collect()
}

/// True while the plugin's worker is held.
static IS_STALLED: AtomicBool = AtomicBool::new(false);

/// Holds the thread that receives the signal.
extern "C" fn on_stall(_signal: c_int) {
    while IS_STALLED.load(SeqCst) {
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Holds the plugin's worker until [`IS_STALLED`] is cleared.
fn stall_the_worker() {
    IS_STALLED.store(true, SeqCst);
    let is_worker =
        |folder: &Path| std::fs::read_to_string(folder.join("comm")).is_ok_and(|n| n.trim() == "embouchure");
    let threads = std::fs::read_dir("/proc/self/task").unwrap().map(|thread| thread.unwrap().path());
    let workers: Vec<PathBuf> = threads.filter(|folder| is_worker(folder)).collect();
    let [worker] = &workers[..] else { panic!("one worker, not {workers:?}") };
    let id: libc::pid_t = worker.file_name().and_then(|id| id.to_str()).and_then(|id| id.parse().ok()).unwrap();
    // SAFETY: the handler sleeps and reads an atomic; both are allowed in a signal handler.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_stall as *const () as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR2, &action, std::ptr::null_mut()), 0);
        assert_eq!(libc::syscall(libc::SYS_tgkill, libc::getpid(), id, libc::SIGUSR2), 0);
    }
}

/// A paced host that watches each call of `process`.
struct Watch {
    pace: Paced,
    is_stopped: bool,
    n_watched: usize,
    /// A parameter, and how many times it changes in each block.
    automation: Option<(u32, usize)>,
    /// The samples during which the worker is held.
    stall: Range<usize>,
}

impl Watch {
    fn new(pace: Paced) -> Self {
        Self { pace, is_stopped: false, n_watched: 0, automation: None, stall: 0..0 }
    }
}

impl Hooks for Watch {
    fn block(&mut self, usual: usize) -> usize {
        self.pace.block(usual)
    }

    fn action(&mut self, n_done: usize) -> Action {
        if self.stall.contains(&n_done) {
            if !IS_STALLED.load(SeqCst) {
                stall_the_worker();
            }
        } else {
            IS_STALLED.store(false, SeqCst);
        }
        Action::Play
    }

    fn automate(&mut self, now: Range<usize>) -> Vec<Change> {
        let Some((id, times)) = self.automation else { return vec![] };
        let change =
            |i: usize| Change { at: (i * now.len() / times) as i64, id, value: 0.4 + 0.2 * i as f64 / times as f64 };
        (0..times).map(change).collect()
    }

    fn before(&mut self) {
        if !self.is_stopped {
            stop_calls_of_this_thread();
            self.is_stopped = true;
        }
        self.n_watched += 1;
        IS_WATCHED.store(true, SeqCst);
    }

    fn after(&mut self, n_done: usize) -> ControlFlow<()> {
        IS_WATCHED.store(false, SeqCst);
        self.pace.after(n_done)
    }
}

// One test only, because the record belongs to the whole process.
#[test]
fn process_makes_no_system_call() {
    std::thread::spawn(|| {
        stop_calls_of_this_thread();
        IS_WATCHED.store(true, SeqCst);
        // SAFETY: the call only returns a number.
        let id = unsafe { libc::getppid() };
        IS_WATCHED.store(false, SeqCst);
        assert!(id > 0, "the call was made all the same");
    })
    .join()
    .unwrap();
    assert_eq!(calls(), [libc::SYS_getppid], "the watch sees calls");
    N_CALLS.store(0, SeqCst);

    let input = phrase(48_000.0);
    let engines = ["worker", "direct"];
    let sizes = [(1, 1, 64), (2, 2, 511), (1, 2, 4096)];
    for ((n_inputs, n_outputs, max_block), engine) in engines.iter().flat_map(|engine| sizes.map(|size| (size, engine)))
    {
        let mut host = ClapHost::load(&bundled_clap()).unwrap();
        let state = host.save().unwrap();
        host.restore(&with_session(&state, |session| session["engine"] = json!(engine)).unwrap()).unwrap();
        host.select_layout(Layout { n_inputs, n_outputs }).unwrap();
        host.set_parameter("Dry/Wet", 1.0).unwrap();
        let session = Session { rate: 48_000.0, block: max_block, max_block };
        let mut watch = Watch::new(Paced::new(48_000.0, 1.0).cut(3));
        let played = host.play_with(&vec![input.clone(); n_inputs], session, &mut watch).unwrap();
        assert!(played.channels[0].iter().any(|s| s.abs() > 0.01), "silence proves nothing");
        println!(
            "{engine}: {} calls of process, blocks up to {max_block}: system calls {:?}",
            watch.n_watched,
            calls()
        );
        assert!(calls().is_empty(), "{:?}, by number", calls());
    }

    // Nor may it make one while the worker is held and automation cuts each block into pieces that arrive faster than
    // realtime.
    let mut host = ClapHost::load(&bundled_clap()).unwrap();
    let output = host.parameters().into_iter().find(|parameter| parameter.name == "Output").unwrap().id;
    let session = Session { rate: 48_000.0, block: 1024, max_block: 1024 };
    let mut watch = Watch::new(Paced::new(48_000.0, 1.0));
    (watch.automation, watch.stall) = (Some((output, 16)), 24_000..48_000);
    let played = host.play_with(&[input.clone(), input], session, &mut watch).unwrap();
    let rms = |samples: &[f32]| (samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32).sqrt();
    let [before, stalled] = [10_000..22_000, 36_000..46_000].map(|range| rms(&played.channels[0][range]));
    println!("level {before} before the worker stands still, {stalled} meanwhile: system calls {:?}", calls());
    assert!(before > 0.01 && stalled < 0.1 * before, "the worker did not stand still");
    assert!(calls().is_empty(), "{:?}, by number", calls());
}
