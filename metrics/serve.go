package metrics

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
)

// ServeHTTP responds to GET /metrics in the text format of Prometheus. Serve it at
// an address that only operators can reach: it is not protected.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch {
	case req.URL.Path != "/metrics":
		http.NotFound(w, req)
		return
	case req.Method != http.MethodGet && req.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	var b bytes.Buffer
	for _, g := range r.gather(req.Context()) {
		g.write(&b)
	}
	_, _ = w.Write(b.Bytes())
}

// write writes a metric with its HELP and TYPE.
func (g *gathered) write(b *bytes.Buffer) {
	b.WriteString("# HELP " + g.name + " " + escape(g.help) + "\n# TYPE " + g.name + " " + string(g.kind) + "\n")
	for i, v := range g.values {
		names := g.pairs(g.keys[i])
		if g.buckets == nil {
			writeLine(b, g.name, names, number(v.value))
			continue
		}
		total := uint64(0)
		for i, n := range v.buckets {
			le := "+Inf"
			if i < len(g.buckets) {
				le = number(g.buckets[i])
			}
			total += n
			writeLine(b, g.name+"_bucket", append(names, "le", le), strconv.FormatUint(total, 10))
		}
		writeLine(b, g.name+"_sum", names, number(v.value))
		writeLine(b, g.name+"_count", names, strconv.FormatUint(total, 10))
	}
}

func writeLine(b *bytes.Buffer, name string, pairs []string, value string) {
	b.WriteString(name)
	for i := 0; i < len(pairs); i += 2 {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(pairs[i] + `="` + escape(pairs[i+1]) + `"`)
	}
	if len(pairs) > 0 {
		b.WriteByte('}')
	}
	b.WriteString(" " + value + "\n")
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// escape escapes a label's value or a help text.
func escape(s string) string { return escapes.Replace(s) }

var escapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
