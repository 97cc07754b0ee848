//! Where resume begins, whatever step a run has died or failed in: with the secret, on which everything else rests.

use super::*;

/// Steps 3 to 6 are done up to this one, which is left running; then the process is gone.
fn died_in(step: StepNumber) -> Machine {
    let mut machine = live();
    let start = |machine: &mut Machine, step| machine.emit(at("22:15"), Record::StepStarted { step }).unwrap();
    match step {
        StepNumber::OBJECT | StepNumber::RECONCILE => {
            let evidence = "it was looked at".to_owned();
            let undone = Record::StepResolved { step, done: false, evidence };
            machine.emit(at("22:15"), undone).unwrap();
            start(&mut machine, step);
        }
        step => drop(start(&mut machine, step)),
    }
    let mut rotation = Rotation::clone(machine.rotation().unwrap());
    rotation.interrupt();
    assert_eq!(rotation.interrupted(), Some(step));
    Machine::new(tenant(), op(), RULES, Some(Arc::new(rotation)))
}

fn probed(machine: &mut Machine, step: StepNumber, probe: Probe) -> Vec<Output> {
    machine.handle(at("22:21"), Input::Probed { step, probe }).unwrap()
}

fn holds() -> Probe {
    Probe::Done("seen".into())
}

#[test]
fn resume_looks_at_the_secret_first_and_goes_on_with_what_was_interrupted() {
    let all = [StepNumber::OBJECT, StepNumber::RECONCILE, StepNumber::RECONFIGURE, StepNumber::VERIFY];
    for step in all {
        let mut machine = died_in(step);
        let outputs = command(&mut machine, at("22:20"), Command::Resume).unwrap();
        assert_eq!(outputs, [Output::Probe(StepNumber::SECRET)], "{step}");
        // Others write into the object, too.
        let mut outputs = probed(&mut machine, StepNumber::SECRET, holds());
        if step > StepNumber::OBJECT {
            assert_eq!(outputs, [Output::Probe(StepNumber::OBJECT)], "{step}");
            outputs = probed(&mut machine, StepNumber::OBJECT, holds());
        }
        // Before the kept keys go the server is looked at as well.
        if step == StepNumber::VERIFY {
            assert_eq!(outputs, [Output::Probe(StepNumber::RECONCILE)], "{step}");
            outputs = probed(&mut machine, StepNumber::RECONCILE, holds());
        }
        assert_eq!(outputs, [Output::Probe(step)], "{step}");
        // The secret is gone: it is stored, and in the same run what was interrupted is looked at.
        let mut machine = died_in(step);
        command(&mut machine, at("22:20"), Command::Resume).unwrap();
        let outputs = probed(&mut machine, StepNumber::SECRET, Probe::NotDone("none has the name".into()));
        assert_eq!(performs(&outputs), [4], "{step}");
        let mut outputs = ended(&mut machine, StepNumber::SECRET, Ok("stored"));
        let mut looked = Vec::new();
        while let Some(Output::Probe(next)) = outputs.last() {
            let next = *next;
            looked.push(next);
            if next == step {
                break;
            }
            outputs = probed(&mut machine, next, holds());
        }
        assert_eq!(looked.last(), Some(&step), "{step}: {looked:?}");
    }
}

#[test]
fn what_rests_on_a_step_that_was_done_again_is_looked_at_again_and_each_only_once() {
    let mut machine = live();
    command(&mut machine, at("22:20"), Command::Resume).unwrap();
    let not = || Probe::NotDone("others have changed it".into());
    assert_eq!(performs(&probed(&mut machine, StepNumber::SECRET, not())), [4]);
    assert_eq!(ended(&mut machine, StepNumber::SECRET, Ok("stored")).last(), Some(&Output::Probe(StepNumber::OBJECT)));
    assert_eq!(performs(&probed(&mut machine, StepNumber::OBJECT, not())), [5]);
    let outputs = ended(&mut machine, StepNumber::OBJECT, Ok("written"));
    assert_eq!(outputs.last(), Some(&Output::Probe(StepNumber::RECONCILE)));
    assert_eq!(performs(&probed(&mut machine, StepNumber::RECONCILE, not())), [6]);
    assert!(matches!(ended(&mut machine, StepNumber::RECONCILE, Ok("live")).last(), Some(Output::Done(_))));
}
