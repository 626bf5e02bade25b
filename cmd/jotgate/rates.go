package main

import (
	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/throttle/shared"
)

// newSharedRates returns the counter of --shared-rates, or nil without it.
func (f *serveFlags) newSharedRates(gate *jotgate.Gate) *shared.Counter {
	db, ok := gate.Store().(*store.Store) // not in a rehearsal
	if f.SharedRates != "on" || !ok {
		return nil
	}
	return shared.New(store.Rates(db), shared.Options{Logger: gate.Settings().Logger})
}
