package watch

import (
	"context"
	"time"

	"chef-backend-cockpit/cluster/recovery"
)

// TakeOverPhrase is what has to be typed to take the operators' lock from its
// holder, user@host.
func TakeOverPhrase(who string) string { return recovery.TakeOverPhrase(who) }

// NeedsArming is said of what T3 would do while the cockpit is not armed.
const NeedsArming = recovery.NeedsArming

// Arm lets T3 be confirmed for ten minutes.
func (w *Watch) Arm(text string) error {
	if err := w.executor.Arm(text); err != nil {
		return err
	}
	w.diary.remark("armed for T3" + byWhom(w.o.Operator))
	w.publish()
	return nil
}

// Disarm ends it. A plan at work goes on.
func (w *Watch) Disarm() {
	if w.executor.ArmedUntil().IsZero() {
		return
	}
	w.executor.Disarm()
	w.diary.remark("no longer armed" + byWhom(w.o.Operator))
	w.publish()
}

func byWhom(who string) string {
	if who == "" {
		return ""
	}
	return ", says " + who
}

// armedUntil is asked for while the first state is made, too.
func (w *Watch) armedUntil() time.Time {
	if w.executor == nil {
		return time.Time{}
	}
	return w.executor.ArmedUntil()
}

// TakeOver takes the operators' lock from its holder.
func (w *Watch) TakeOver(ctx context.Context, text string) error {
	err := w.executor.TakeOver(ctx, text)
	w.publish()
	return err
}
