//! Work that is done on another thread or beside the loop, and waited for.

use tokio::task::JoinHandle;

/// What the task answers. Its panic goes on here. A task that the end of the program keeps from running is never
/// answered: who waits ends as well.
pub async fn answer<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_ended) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_comes_and_a_panic_goes_on() {
        assert_eq!(answer(tokio::spawn(async { 7 })).await, 7);
        let panics = answer(tokio::spawn(async { panic!("of the task") }));
        let error = tokio::spawn(panics).await.expect_err("it goes on");
        assert!(error.is_panic());
    }

    #[tokio::test]
    async fn who_waits_for_what_never_runs_ends_without_a_panic() {
        let task = tokio::spawn(std::future::pending::<()>());
        task.abort();
        let waiting = tokio::spawn(answer(task));
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        waiting.abort();
        assert!(waiting.await.expect_err("it was ended").is_cancelled());
    }
}
