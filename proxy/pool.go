package proxy

import "sync"

// bufferPool is a pool of the 32 KiB buffers that responses are copied through.
type bufferPool struct{ pool sync.Pool }

func newBufferPool() *bufferPool {
	return &bufferPool{sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}}
}

// Get returns a buffer.
func (p *bufferPool) Get() []byte { return *p.pool.Get().(*[]byte) }

// Put returns a buffer to the pool.
func (p *bufferPool) Put(b []byte) { p.pool.Put(&b) }
