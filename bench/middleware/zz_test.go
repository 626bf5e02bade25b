package main
import ("testing";"net/http")
func BenchmarkTyped(b *testing.B) { bench(b, 0) }
func BenchmarkContext(b *testing.B) { bench(b, 1) }
func bench(b *testing.B, i int) {
	c := contenders()[i]
	w, r := &noWriter{header: http.Header{}}, request(sign(claims(), secret))
	b.ReportAllocs()
	for b.Loop() { c.handler.ServeHTTP(w, r) }
}
