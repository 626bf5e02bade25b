package metrics

import "fmt"

// Metric is one of the metrics that a Registry serves.
type Metric int

// The metrics. docs/metrics.md describes each.
const (
	HTTPRequests Metric = iota
	HTTPDuration
	Logins
	Refreshes
	TokensIssued
	TokenVerifications
	TokenCacheHits
	HashDuration
	HashBusy
	HashQueue
	HashMemory
	Throttled
	Lockouts
	Sessions
	Revocations
	RevocationAge
	FeedFollowers
	Keys
	KeyAge
	OutboxPending
	OutboxOldest
	Emails
	Webhooks
	DBQueries
	DBRetries
	DBUp
	DBMaxConns
	DBOpenConns
	DBUsedConns
	DBIdleConns
	DBWaits
	DBWaitTime
	PurgedRows
	BuildInfo
	goInfo
	goRoutines
	goHeap
	goSys
	goCollections
	processCPU
	processMemory
	processFiles
	processMaxFiles
	processStart
	count // the number of metrics
)

// kind is a type of metric as Prometheus has it.
type kind string

const (
	counter   kind = "counter"
	gauge     kind = "gauge"
	histogram kind = "histogram"
)

// other is the value of all labels of the series that counts what has none of its
// own.
const other = "other"

// definition describes a metric.
type definition struct {
	name    string
	kind    kind
	labels  []string
	limit   int       // of series
	buckets []float64 // of a histogram: the upper bounds, in seconds
	help    string
}

var (
	httpBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}
	hashBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5}
	dbBuckets   = []float64{.0005, .001, .0025, .01, .05, .25, 1, 5}
)

var definitions = [count]definition{
	HTTPRequests:       {"jotgate_http_requests_total", counter, []string{"route", "method", "code"}, 420, nil, "Requests that were responded to."},
	HTTPDuration:       {"jotgate_http_request_duration_seconds", histogram, []string{"route", "method"}, 80, httpBuckets, "Time from a request to the end of its response."},
	Logins:             {"jotgate_logins_total", counter, []string{"result"}, 8, nil, "Logins."},
	Refreshes:          {"jotgate_refreshes_total", counter, []string{"result"}, 8, nil, "Uses of refresh tokens."},
	TokensIssued:       {"jotgate_tokens_issued_total", counter, []string{"grant", "kind"}, 12, nil, "Tokens that were signed."},
	TokenVerifications: {"jotgate_token_verifications_total", counter, []string{"result"}, 6, nil, "Access tokens that were verified or rejected."},
	TokenCacheHits:     {"jotgate_token_cache_hits_total", counter, nil, 1, nil, "Access tokens that were found among those verified before."},
	HashDuration:       {"jotgate_password_hash_duration_seconds", histogram, []string{"scheme"}, 8, hashBuckets, "Time to hash a password, without the time in the queue."},
	HashBusy:           {"jotgate_hash_lane_busy", gauge, nil, 1, nil, "Passwords that are being hashed."},
	HashQueue:          {"jotgate_hash_queue_length", gauge, nil, 1, nil, "Logins that wait for a password to be hashed."},
	HashMemory:         {"jotgate_hash_memory_bytes", gauge, nil, 1, nil, "Memory that the hashes being computed use."},
	Throttled:          {"jotgate_throttled_total", counter, []string{"scope"}, 16, nil, "Requests that were rejected with status 429, by rate or lockout."},
	Lockouts:           {"jotgate_lockouts_active", gauge, nil, 1, nil, "Accounts, and pairs of account and network, with enough recent failures to be delayed, up to 10000."},
	Sessions:           {"jotgate_sessions_active", gauge, nil, 1, nil, "Sessions that have not ended: an estimate, read once a minute."},
	Revocations:        {"jotgate_revocations_in_memory", gauge, nil, 1, nil, "Entries of the revocation list."},
	RevocationAge:      {"jotgate_revocation_age_seconds", gauge, nil, 1, nil, "Time since the revocation list was last read completely."},
	FeedFollowers:      {"jotgate_feed_followers", gauge, nil, 1, nil, "Guards that wait for a revocation at this node."},
	Keys:               {"jotgate_keys", gauge, []string{"algorithm", "state"}, 24, nil, "Signing keys in the database."},
	KeyAge:             {"jotgate_key_age_seconds", gauge, []string{"algorithm"}, 8, nil, "Time since the signing key in the database became the current one."},
	OutboxPending:      {"jotgate_outbox_pending", gauge, []string{"kind"}, 20, nil, "E-mails that wait to be sent."},
	OutboxOldest:       {"jotgate_outbox_oldest_seconds", gauge, []string{"kind"}, 20, nil, "Age of the oldest e-mail that waits to be sent."},
	Emails:             {"jotgate_letters_total", counter, []string{"kind", "result"}, 48, nil, "Attempts to send an e-mail."},
	Webhooks:           {"jotgate_webhooks_total", counter, []string{"result"}, 3, nil, "Attempts to send a message to a webhook."},
	DBQueries:          {"jotgate_db_query_duration_seconds", histogram, []string{"operation"}, 3, dbBuckets, "Time of an operation on the database, with its attempts."},
	DBRetries:          {"jotgate_db_retries_total", counter, []string{"reason"}, 8, nil, "Operations on the database that were tried again."},
	DBUp:               {"jotgate_db_up", gauge, nil, 1, nil, "Whether the database responded to a query within a second."},
	DBMaxConns:         {"go_sql_max_open_connections", gauge, []string{"db_name"}, 3, nil, "Maximum number of open connections to the database."},
	DBOpenConns:        {"go_sql_open_connections", gauge, []string{"db_name"}, 3, nil, "Connections to the database."},
	DBUsedConns:        {"go_sql_in_use_connections", gauge, []string{"db_name"}, 3, nil, "Connections that are in use."},
	DBIdleConns:        {"go_sql_idle_connections", gauge, []string{"db_name"}, 3, nil, "Connections that are idle."},
	DBWaits:            {"go_sql_wait_count_total", counter, []string{"db_name"}, 3, nil, "Operations that waited for a connection."},
	DBWaitTime:         {"go_sql_wait_duration_seconds_total", counter, []string{"db_name"}, 3, nil, "Time that operations waited for a connection."},
	PurgedRows:         {"jotgate_purged_rows_total", counter, []string{"table"}, 6, nil, "Expired rows that were deleted."},
	BuildInfo:          {"jotgate_build_info", gauge, []string{"version", "goversion"}, 1, nil, "The version; the value is 1."},
	goInfo:             {"go_info", gauge, []string{"version"}, 1, nil, "The version of Go; the value is 1."},
	goRoutines:         {"go_goroutines", gauge, nil, 1, nil, "Goroutines."},
	goHeap:             {"go_memstats_heap_alloc_bytes", gauge, nil, 1, nil, "Bytes of the heap that are in use."},
	goSys:              {"go_memstats_sys_bytes", gauge, nil, 1, nil, "Bytes that the runtime has from the operating system."},
	goCollections:      {"go_gc_cycles_total", counter, nil, 1, nil, "Garbage collections."},
	processCPU:         {"process_cpu_seconds_total", counter, nil, 1, nil, "Processor time, user and system."},
	processMemory:      {"process_resident_memory_bytes", gauge, nil, 1, nil, "Resident memory."},
	processFiles:       {"process_open_fds", gauge, nil, 1, nil, "Open file descriptors."},
	processMaxFiles:    {"process_max_fds", gauge, nil, 1, nil, "Maximum number of open file descriptors."},
	processStart:       {"process_start_time_seconds", gauge, nil, 1, nil, "When the process started, in seconds of Unix time."},
}

// key returns the labels as a key. It panics if their number is wrong, which is a
// bug of the caller.
func (d *definition) key(values []string) (key labels) {
	if len(values) != len(d.labels) {
		panic(fmt.Sprintf("metrics: %s has the labels %q, not %d values", d.name, d.labels, len(values)))
	}
	copy(key[:], values)
	return key
}

// other returns the key of the series that counts all values without one.
func (d *definition) other() (key labels) {
	for i := range d.labels {
		key[i] = other
	}
	return key
}

// pairs returns the names and values of the labels, alternating.
func (d *definition) pairs(key labels) (pairs []string) {
	for i, name := range d.labels {
		pairs = append(pairs, name, key[i])
	}
	return pairs
}

// lines returns the largest number of lines of the metric.
func (d *definition) lines() int {
	if d.buckets == nil {
		return d.limit
	}
	return d.limit * (len(d.buckets) + 3) // +Inf, sum and count
}

// Description describes a metric.
type Description struct {
	Name   string
	Type   string // counter, gauge or histogram
	Labels []string
	Help   string
}

// Describe lists all metrics.
func Describe() (list []Description) {
	for _, d := range definitions {
		list = append(list, Description{d.name, string(d.kind), d.labels, d.help})
	}
	return list
}
