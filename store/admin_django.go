package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// What Django's admin has recorded.

// DjangoLog implements adminstore.Store. Each row that Record inserts has the time of
// its event, and no other row of the user does.
func (ad admin) DjangoLog(ctx context.Context, user record.UserID, limit int) (list []adminstore.LogEntry, err error) {
	if !ad.db.tables.log || !storable(string(user)) {
		return nil, nil
	}
	err = ad.db.read(ctx, func(ctx context.Context, q Queryer) error {
		rows, err := all(ctx, q, scanLogEntry, `SELECT action_time, user_id, action_flag, object_id, object_repr, change_message FROM django_admin_log
WHERE content_type_id = (SELECT id FROM django_content_type WHERE app_label || '_' || model = $1) AND object_id = $2 ORDER BY id DESC LIMIT $3`,
			ad.db.modelTable("user"), string(user), limit)
		if err != nil || len(rows) == 0 {
			return err
		}
		oldest := slices.MinFunc(rows, func(a, b adminstore.LogEntry) int { return a.Time.Compare(b.Time) }).Time
		own, err := all(ctx, q, value[int64], `SELECT made FROM jotgate_event
WHERE user_id = $1 AND event = 'admin' AND made >= $2 ORDER BY id DESC LIMIT $3`, string(user), oldest.UnixMicro(), maxScanned)
		list = slices.DeleteFunc(rows, func(e adminstore.LogEntry) bool { return slices.Contains(own, e.Time.UnixMicro()) })
		return err
	})
	return list, err
}

func scanLogEntry(rows rowScanner) (e adminstore.LogEntry, err error) {
	var name, object *string
	err = rows.Scan(moment{&e.Time}, keyScan{&e.Actor}, &e.Flag, &object, &name, &e.Message)
	e.Model, e.Time = "user", e.Time.Truncate(time.Microsecond)
	if object != nil {
		e.Object = *object
	}
	if name != nil {
		e.Name = strings.ToValidUTF8(*name, "")
	}
	return e, err
}
