package metrics

import (
	"context"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
)

// process collects the figures of the Go runtime and, on Linux, of the process.
func process(_ context.Context, set Set) {
	set(goInfo, 1, runtime.Version())
	samples := []metrics.Sample{
		{Name: "/sched/goroutines:goroutines"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples)
	for i, m := range []Metric{goRoutines, goHeap, goSys, goCollections} {
		if samples[i].Value.Kind() == metrics.KindUint64 {
			set(m, float64(samples[i].Value.Uint64()))
		}
	}
	if stat, err := os.ReadFile("/proc/self/stat"); err == nil {
		setStat(set, string(stat))
	}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		set(processFiles, float64(len(files)))
	}
	setMaxFiles(set)
}

// ticks is the unit of times in /proc, in 1/s: the kernel reports them so to every
// program, whatever it uses itself (USER_HZ).
const ticks = 100

// setStat reads /proc/self/stat (proc(5)). The second field, the name, may contain
// spaces and parentheses.
func setStat(set Set, stat string) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	field := func(n int) float64 { // numbered as in proc(5), from 1
		if n-3 >= len(fields) {
			return 0
		}
		v, _ := strconv.ParseFloat(fields[n-3], 64)
		return v
	}
	set(processCPU, (field(14)+field(15))/ticks)
	set(processMemory, field(24)*float64(os.Getpagesize()))
	if boot := bootTime(); boot > 0 {
		set(processStart, boot+field(22)/ticks)
	}
}

// bootTime returns when the system started, in seconds of Unix time, or 0.
func bootTime() float64 {
	stat, _ := os.ReadFile("/proc/stat")
	_, rest, _ := strings.Cut(string(stat), "\nbtime ")
	line, _, _ := strings.Cut(rest, "\n")
	boot, _ := strconv.ParseFloat(line, 64)
	return boot
}

func setMaxFiles(set Set) {
	limits, _ := os.ReadFile("/proc/self/limits")
	_, rest, found := strings.Cut(string(limits), "Max open files")
	if fields := strings.Fields(rest); found && len(fields) > 0 {
		if n, err := strconv.ParseFloat(fields[0], 64); err == nil {
			set(processMaxFiles, n)
		}
	}
}
