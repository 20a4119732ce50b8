//! Blocking work, on one thread that all instances of the process share. The framework's own such thread ends when an
//! instance is removed before its work is done.

use crate::Task;
use crossbeam::queue::SegQueue;
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{JoinHandle, Thread};

/// No instrument change is waiting.
const NONE: u64 = u64::MAX;

/// Sends one instance's tasks to the background thread. Clones send for the same instance.
#[derive(Clone)]
pub struct Tasks {
    instance: Arc<Instance>,
    /// Dropping the last one ends the thread and waits for it, so the host may unload the library afterwards.
    background: Arc<Background>,
    /// Run tasks on the sender's thread, so that tests need not wait.
    #[cfg(test)]
    is_at_once: bool,
}

/// The parts of an instance that the thread uses.
struct Instance {
    execute: Box<dyn Fn(Task) + Send + Sync>,
    /// Receives a message when a task has panicked.
    failed: Box<dyn Fn(String) + Send + Sync>,
    /// Count of the newest [`Task::UpdateInstruments`] that the audio callback requested, or [`NONE`]. A newer one
    /// replaces an older one: each reads the parameters when it runs.
    n_loads: AtomicU64,
}

impl Tasks {
    /// `failed` receives the message to show after a panic in `execute`.
    pub fn new(
        background: Arc<Background>,
        execute: impl Fn(Task) + Send + Sync + 'static,
        failed: impl Fn(String) + Send + Sync + 'static,
    ) -> Self {
        let n_loads = AtomicU64::new(NONE);
        let instance = Arc::new(Instance { execute: Box::new(execute), failed: Box::new(failed), n_loads });
        background.inbox.instances.lock().push(Arc::downgrade(&instance));
        Self {
            instance,
            background,
            #[cfg(test)]
            is_at_once: false,
        }
    }

    /// Runs every task at once, on the sender's thread.
    #[cfg(test)]
    pub fn at_once(self) -> Self {
        Self { is_at_once: true, ..self }
    }

    /// Runs `task` soon, even if the instance is removed meanwhile. Allocates.
    pub fn send(&self, task: Task) {
        #[cfg(test)]
        if self.is_at_once {
            return self.instance.run(task);
        }
        self.background.inbox.tasks.push((self.instance.clone(), task));
        self.background.wake();
    }

    /// Runs [`Task::UpdateInstruments`] soon, unless the instance is removed meanwhile. Realtime-safe: at most one
    /// wake.
    pub fn update_instruments(&self, n_loads: u32) {
        self.instance.n_loads.store(n_loads.into(), Ordering::Release);
        self.background.wake();
    }
}

impl Instance {
    /// Runs a task. A panic ends the task, not the thread.
    fn run(&self, task: Task) {
        let name = format!("{task:?}");
        if catch_unwind(AssertUnwindSafe(|| (self.execute)(task))).is_err() {
            (self.failed)(format!("an internal error stopped {name}: the sound goes on; please report it"));
        }
    }
}

/// Work that waits for the thread.
#[derive(Default)]
struct Inbox {
    tasks: SegQueue<(Arc<Instance>, Task)>,
    instances: Mutex<Vec<Weak<Instance>>>,
    is_ending: AtomicBool,
}

impl Inbox {
    fn work(&self) {
        loop {
            // Read before the tasks, so that tasks sent before the end are still done.
            let is_ending = self.is_ending.load(Ordering::Acquire);
            while let Some((instance, task)) = self.tasks.pop() {
                instance.run(task);
            }
            self.run_updates();
            if is_ending {
                return;
            }
            std::thread::park();
        }
    }

    fn run_updates(&self) {
        let mut instances = Vec::new();
        self.instances.lock().retain(|instance| {
            instances.extend(instance.upgrade());
            instance.strong_count() > 0
        });
        for instance in instances {
            let n_loads = instance.n_loads.swap(NONE, Ordering::AcqRel);
            if n_loads != NONE {
                instance.run(Task::UpdateInstruments(n_loads as u32));
            }
        }
    }
}

/// The running thread. Dropping it ends the thread and waits for it.
pub struct Background {
    inbox: Arc<Inbox>,
    thread: Thread,
    join: Mutex<Option<JoinHandle<()>>>,
}

impl Background {
    /// The thread that all instances in the process share; started if none runs. A static is needed because a host
    /// makes an instance without an argument. It is weak because a host may unload the plugin after the last instance,
    /// so no thread may outlive that.
    pub fn of_this_process() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Background>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock();
        running.upgrade().unwrap_or_else(|| {
            let background = Arc::new(Self::spawn());
            *running = Arc::downgrade(&background);
            background
        })
    }

    /// A new thread.
    pub fn spawn() -> Self {
        let inbox = Arc::new(Inbox::default());
        let at_work = inbox.clone();
        let thread = std::thread::Builder::new().name("embouchure tasks".into()).spawn(move || at_work.work());
        // A system without a free thread cannot run the engine's worker either.
        let join = thread.expect("the system gives no thread");
        Self { inbox, thread: join.thread().clone(), join: Mutex::new(Some(join)) }
    }

    /// Realtime-safe; a system call only if the thread sleeps.
    fn wake(&self) {
        self.thread.unpark();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.inbox.is_ending.store(true, Ordering::Release);
        self.wake();
        let join = self.join.get_mut().take();
        // A thread cannot wait for itself.
        if let Some(join) = join.filter(|join| join.thread().id() != std::thread::current().id()) {
            // The thread catches its tasks' panics. Any other panic must not reach the host.
            let _ = join.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    impl Tasks {
        /// Runs `task` at once, on this thread.
        pub fn run_now(&self, task: Task) {
            self.instance.run(task);
        }
    }

    /// An instance that reports its tasks, and panics at [`Task::MakeFolder`].
    fn instance(background: &Arc<Background>) -> (Tasks, Receiver<String>) {
        let (sender, done) = channel();
        let failures = sender.clone();
        let execute = move |task: Task| match task {
            Task::MakeFolder => panic!("a panic that the test makes"),
            task => sender.send(format!("{task:?}")).unwrap(),
        };
        (Tasks::new(background.clone(), execute, move |message| failures.send(message).unwrap()), done)
    }

    fn next(done: &Receiver<String>) -> String {
        done.recv_timeout(Duration::from_secs(30)).expect("the thread is gone")
    }

    #[test]
    fn an_instance_that_is_removed_with_work_left_harms_no_other() {
        let background = Arc::new(Background::spawn());
        let (survivor, survivors) = instance(&background);
        for _ in 0..200 {
            let (removed, done) = instance(&background);
            removed.update_instruments(1);
            removed.update_instruments(2);
            removed.send(Task::Rescan);
            drop(removed);
            survivor.update_instruments(3);
            assert_eq!(next(&survivors), "UpdateInstruments(3)");
            assert!(done.try_iter().all(|what| what.starts_with("UpdateInstruments") || what == "Rescan"));
        }
    }

    #[test]
    fn tasks_are_done_before_the_last_instance_is_gone() {
        for _ in 0..200 {
            let (removed, done) = instance(&Arc::new(Background::spawn()));
            removed.send(Task::Rescan);
            drop(removed);
            assert_eq!(done.try_recv().as_deref(), Ok("Rescan"));
        }
    }

    #[test]
    fn instances_of_a_process_share_a_thread_that_ends_with_the_last() {
        let (first, second) = (Background::of_this_process(), Background::of_this_process());
        assert!(Arc::ptr_eq(&first, &second));
        let weak = Arc::downgrade(&first);
        drop((first, second));
        assert!(weak.upgrade().is_none(), "nobody else keeps it");
    }

    #[test]
    fn a_panic_is_reported_and_the_thread_goes_on() {
        let (tasks, done) = instance(&Arc::new(Background::spawn()));
        tasks.send(Task::MakeFolder);
        assert!(next(&done).contains("MakeFolder"));
        tasks.update_instruments(7);
        assert_eq!(next(&done), "UpdateInstruments(7)");
    }

    #[test]
    fn only_the_newest_update_counts() {
        let (tasks, done) = instance(&Arc::new(Background::spawn()));
        (0..1000).for_each(|n| tasks.update_instruments(n));
        let mut last = String::new();
        while last != "UpdateInstruments(999)" {
            last = next(&done);
        }
    }
}
