package proxy

import "sync"

// bufferPool lends the 32 KiB buffers that answers are copied through.
type bufferPool struct{ pool sync.Pool }

func newBufferPool() *bufferPool {
	return &bufferPool{sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}}
}

// Get lends a buffer.
func (p *bufferPool) Get() []byte { return *p.pool.Get().(*[]byte) }

// Put takes it back.
func (p *bufferPool) Put(b []byte) { p.pool.Put(&b) }
