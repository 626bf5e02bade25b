package admin

// Actions on groups, keys, e-mails and counters.

import (
	"cmp"
	"context"
	"strconv"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// number returns the target as the id of a row.
func (c *change) number() (int64, error) {
	id, err := strconv.ParseInt(c.target, 10, 64)
	if err != nil {
		return 0, jotgate.ErrNotFound
	}
	return id, nil
}

func (c *change) group() (*adminstore.Group, error) {
	id, err := c.number()
	if err != nil {
		return nil, err
	}
	g, err := c.tx.Groups.Find(c.ctx, id)
	if err == nil {
		c.event.Target = "group " + c.target
	}
	return g, err
}

// groupValues returns a group's fields by name.
func groupValues(g *adminstore.Group) map[string]any {
	return map[string]any{"name": g.Name, "permissions": permissionIDs(g.Permissions)}
}

func groupAdd(c *change) error {
	name := c.in.text("name")
	if name == "" {
		return refuse("name", "This field is required.")
	}
	id, err := c.tx.Groups.Create(c.ctx, name)
	if err != nil {
		return err
	}
	c.target = strconv.FormatInt(id, 10)
	c.result.Target, c.event.Target = c.target, "group "+c.target
	c.set("name", nil, name)
	c.log(adminstore.LogAddition, "group", c.target, name, djangoAdded)
	return c.setGroupPermissions(&adminstore.Group{ID: id})
}

func groupChange(c *change) error {
	g, err := c.group()
	if err != nil {
		return err
	}
	before := groupValues(g)
	if err := c.conflict(version(before), before); err != nil {
		return err
	}
	if name := c.in.text("name"); c.in.has("name") && name != g.Name {
		if name == "" {
			return refuse("name", "This field is required.")
		}
		if err := c.tx.Groups.Rename(c.ctx, g.ID, name); err != nil {
			return err
		}
		c.set("name", g.Name, name)
	}
	if err := c.setGroupPermissions(g); err != nil {
		return err
	}
	c.log(adminstore.LogChange, "group", c.target, g.Name, c.changed())
	return nil
}

// setGroupPermissions replaces the permissions of a group. The actor, who may be a
// member, must have every permission that is added.
func (c *change) setGroupPermissions(g *adminstore.Group) error {
	if !c.in.has("permissions") {
		return nil
	}
	ids, _, err := c.newPermissions("permissions", g.Permissions)
	if err != nil {
		return err
	}
	return c.tx.Groups.SetPermissions(c.ctx, g.ID, ids)
}

func groupDelete(c *change) error {
	g, err := c.group()
	if err != nil {
		return err
	}
	c.set("name", g.Name, nil)
	c.set("permissions", permissionNames(g.Permissions), []string{})
	c.log(adminstore.LogDeletion, "group", c.target, g.Name, "")
	return c.tx.Groups.Delete(c.ctx, g.ID)
}

func makeKey(a *Admin, _ context.Context, _ string, in Fields) (any, error) {
	key, err := a.gate.Keys().Make(jwt.Algorithm(cmp.Or(in.text("algorithm"), string(a.gate.Settings().KeyAlgorithm), string(jwt.ES256))))
	if err != nil {
		return nil, refuse("algorithm", "There are no signing keys for this algorithm.").Because(err)
	}
	return key, nil
}

func keyAdd(c *change) error {
	key := c.ready.(record.Key)
	c.target = key.ID
	c.result.Target, c.event.Target = key.ID, "key "+key.ID
	c.set("state", nil, string(key.State))
	return c.tx.System.AddKey(c.ctx, key)
}

// setKey changes the state of a key.
func (c *change) setKey(state string, set func() error) error {
	key, err := c.tx.System.Key(c.ctx, c.target)
	if err != nil {
		return err
	}
	c.event.Target = "key " + key.ID
	c.set("state", string(key.State), state)
	return set()
}

func keySwitch(c *change) error {
	return c.setKey("current", func() error { return c.tx.System.SwitchKey(c.ctx, c.target, c.now) })
}

func keyRetire(c *change) error {
	return c.setKey("retired", func() error { return c.tx.System.RetireKey(c.ctx, c.target, c.now) })
}

func keyDelete(c *change) error {
	return c.setKey("", func() error { return c.tx.System.DeleteKey(c.ctx, c.target) })
}

// message finds the e-mail that is the target.
func (c *change) message() (*adminstore.Message, error) {
	id, err := c.number()
	if err != nil {
		return nil, err
	}
	m, err := c.tx.System.Message(c.ctx, id)
	if err != nil {
		return nil, err
	}
	c.event.Target, c.event.User = "email "+c.target, m.User
	c.changes["email"] = [2]any{string(m.Kind) + " to " + m.To, nil}
	if m.User == "" {
		return m, nil
	}
	u, err := c.tx.Users.Find(c.ctx, m.User)
	if err != nil {
		return nil, err
	}
	return m, c.above(u)
}

func emailRetry(c *change) error {
	m, err := c.message()
	if err != nil {
		return err
	}
	c.changes = map[string][2]any{}
	c.set("due", m.Due, c.now)
	return c.tx.System.RetryMessage(c.ctx, m.ID, c.now)
}

func emailDrop(c *change) error {
	m, err := c.message()
	if err != nil {
		return err
	}
	return c.tx.System.DropMessage(c.ctx, m.ID)
}

func throttleForgive(c *change) error {
	f, err := c.tx.System.Failure(c.ctx, c.target)
	if err != nil {
		return err
	}
	c.event.Target = "throttle " + cut(f.Key, 200)
	c.set("count", f.Count, 0)
	return c.tx.System.Forgive(c.ctx, f.Key)
}
