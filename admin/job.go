package admin

// Actions on many users. Each slice of a job is a transaction that also stores how
// far it has come, so that a job that was interrupted, even by kill -9, continues
// with the next user, and no user is changed twice.

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

const (
	// sliceSize is the largest number of users in a transaction.
	sliceSize = 25
	// sliceTime is how long a transaction goes on to the next user. A login may have
	// to wait for all of it, because SQLite has one writer, and for its commit.
	sliceTime = time.Millisecond
	// sliceRest is how many times as long as a transaction took the database is then
	// left to others, so that few logins meet one, whatever the speed of the disk.
	sliceRest = 5
	// undoTime is how long a job can be undone.
	undoTime = 7 * 24 * time.Hour
	// pollTime is how often Run looks for jobs that were interrupted.
	pollTime = 10 * time.Second
)

// jobStart begins a job. Its event is the parent of those of the users.
func jobStart(c *change) error {
	act := actionNamed(c.in.text("action"))
	if act == nil || !act.bulk {
		return refuse("action", "There is no such action for many users.")
	}
	if !act.allows(c.Admin, &c.who) {
		return jotgate.ErrForbidden
	}
	q, err := selection(c.in)
	if err != nil {
		return err
	}
	job := &adminstore.Job{
		Actor: c.who.id(), Action: act.Name, Selection: q, State: adminstore.JobRunning, Created: c.now, Updated: c.now,
	}
	if job.Total, err = c.store.Count(c.ctx, q); err != nil {
		return err
	}
	if err := c.tx.Jobs.Create(c.ctx, job); err != nil {
		return err
	}
	c.target = strconv.FormatInt(job.ID, 10)
	c.result.Target, c.event.Target = c.target, "job "+c.target
	c.changes["action"], c.changes["selection"] = [2]any{nil, act.Name}, [2]any{nil, q}
	c.then = func() error {
		job.Parent = c.event.ID
		return c.tx.Jobs.Save(c.ctx, job)
	}
	return nil
}

// jobUndo begins to activate the users again that a job has deactivated.
func jobUndo(c *change) error {
	id, err := c.number()
	if err != nil {
		return err
	}
	job, err := c.tx.Jobs.Find(c.ctx, id)
	switch {
	case err != nil:
		return err
	case job.Action != "user.deactivate" || job.State != adminstore.JobDone:
		return &jotgate.Error{Status: http.StatusBadRequest, Detail: "Only a deactivation that has ended can be undone."}
	case c.now.After(job.Created.Add(undoTime)):
		return &jotgate.Error{Status: http.StatusBadRequest, Detail: "A job can be undone for seven days."}
	}
	c.event.Target = "job " + c.target
	c.set("state", string(job.State), string(adminstore.JobUndoing))
	job.State, job.Position, job.Updated = adminstore.JobUndoing, "0", c.now
	return c.tx.Jobs.Save(c.ctx, job)
}

// Run does the jobs that are not finished, also those of a process that has ended,
// until the context ends, and returns the context's error. Call it in a goroutine on
// every node: each slice of a job is done once. Without it, a job that is started on
// a page or by JSON is still done, by the process that received the request, unless
// that process ends.
func (a *Admin) Run(ctx context.Context) error {
	ticker := time.NewTicker(pollTime)
	defer ticker.Stop()
	for {
		a.work(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		case <-a.more:
		}
	}
}

// wake starts the work on a new job.
func (a *Admin) wake(ctx context.Context) { go a.work(context.WithoutCancel(ctx)) }

// Work does the jobs that are not finished and returns when they are, or when the
// context ends. It is for commands, which do not call Run.
func (a *Admin) Work(ctx context.Context) { a.work(ctx) }

// work does the slices of all jobs.
func (a *Admin) work(ctx context.Context) {
	a.working.Lock()
	defer a.working.Unlock()
	jobs, err := a.store.Jobs(ctx, 0, pageSize)
	for _, job := range jobs {
		for err == nil && ctx.Err() == nil && (job.State == adminstore.JobRunning || job.State == adminstore.JobUndoing) {
			var took time.Duration
			if job.State, took, err = a.slice(ctx, job.ID); err == nil {
				pause(ctx, sliceRest*took)
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		a.gate.Settings().Logger.WarnContext(ctx, "a job of the administration was interrupted; it will be continued", "cause", err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(min(d, time.Second)):
	}
}

// slice does the next users of a job. It returns the job's state, and how long the
// transaction took after it had begun.
func (a *Admin) slice(ctx context.Context, id int64) (state adminstore.JobState, took time.Duration, err error) {
	var done []*change
	var began time.Time
	err = a.store.Change(ctx, func(ctx context.Context, tx adminstore.Tx) error {
		done, began = nil, time.Now()
		job, err := tx.Jobs.Find(ctx, id)
		if err != nil {
			return err
		}
		switch job.State {
		case adminstore.JobRunning:
			done, err = a.forward(ctx, tx, job, began)
		case adminstore.JobUndoing:
			done, err = a.back(ctx, tx, job, began)
		}
		if err != nil {
			return err
		}
		state, job.Updated = job.State, a.gate.Settings().Now().UTC()
		return tx.Jobs.Save(ctx, job)
	})
	if err != nil {
		return "", 0, err
	}
	took = time.Since(began)
	for _, c := range done {
		a.gate.Events().Stored(ctx, c.event)
	}
	if len(done) > 0 {
		_ = a.gate.Sync(ctx) // Run of the gate reads it again
	}
	return state, took, nil
}

// full reports whether a slice that began then ends before the next user.
func full(began time.Time) bool { return time.Since(began) >= sliceTime }

// jobActor returns who started the job, with the rights of now.
func (a *Admin) jobActor(ctx context.Context, tx adminstore.Tx, job *adminstore.Job) (Actor, error) {
	who := a.Operator()
	who.client.Endpoint = "job"
	if job.Actor == "" {
		return who, nil
	}
	who.account = &record.Account{ID: job.Actor}
	return who.refreshed(ctx, tx)
}

// forward does a job's action to the next users.
func (a *Admin) forward(ctx context.Context, tx adminstore.Tx, job *adminstore.Job, began time.Time) (done []*change, err error) {
	who, err := a.jobActor(ctx, tx, job)
	if errors.Is(err, jotgate.ErrForbidden) { // the actor has lost its rights: the job ends here
		job.State = adminstore.JobDone
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	users, err := tx.Users.Next(ctx, job.Selection, record.UserID(job.Position), sliceSize)
	if err != nil {
		return nil, err
	}
	for _, id := range users {
		c, err := a.one(ctx, tx, who, actionNamed(job.Action), string(id), job.Parent)
		if err != nil {
			return nil, err
		}
		if c == nil {
			job.Skipped++
		} else {
			done, job.Done = append(done, c), job.Done+1
		}
		if job.Position = string(id); full(began) {
			return done, nil
		}
	}
	if len(users) < sliceSize {
		job.State = adminstore.JobDone
	}
	return done, nil
}

// back activates the next users that the job has deactivated.
func (a *Admin) back(ctx context.Context, tx adminstore.Tx, job *adminstore.Job, began time.Time) (done []*change, err error) {
	who, err := a.jobActor(ctx, tx, job)
	if errors.Is(err, jotgate.ErrForbidden) {
		who = a.Operator() // the one who undoes it has been checked; the rights are those of an activation
		who.client.Endpoint = "job"
	} else if err != nil {
		return nil, err
	}
	after, _ := strconv.ParseInt(job.Position, 10, 64)
	events, err := tx.Jobs.Events(ctx, job, after, sliceSize)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if job.Position = strconv.FormatInt(e.ID, 10); e.Detail != "user.deactivate" {
			continue
		}
		c, err := a.one(ctx, tx, who, actionNamed("user.activate"), string(e.User), job.Parent)
		if err != nil {
			return nil, err
		}
		if c != nil {
			done, job.Undone = append(done, c), job.Undone+1
		}
		if full(began) {
			return done, nil
		}
	}
	if len(events) < sliceSize {
		job.State = adminstore.JobUndone
	}
	return done, nil
}

// one runs the action of a job on a user. It returns nil if the action is refused:
// that user is skipped.
func (a *Admin) one(ctx context.Context, tx adminstore.Tx, who Actor, act *action, target string, parent int64) (*change, error) {
	c := a.change(ctx, tx, who, act, target, Fields{})
	c.event.Parent = parent
	err := tx.Try(ctx, c.run)
	var refusal *jotgate.Error
	if errors.As(err, &refusal) && refusal.Status < http.StatusInternalServerError {
		return nil, nil
	}
	return c, err
}
