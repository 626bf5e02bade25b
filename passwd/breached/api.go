package breached

// The range API of Have I Been Pwned: https://haveibeenpwned.com/API/v3.

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// PwnedPasswords is the address of Have I Been Pwned's range API.
const PwnedPasswords = "https://api.pwnedpasswords.com"

const (
	apiTimeout  = 2 * time.Second // of a request, from its beginning to the last byte
	apiResponse = 1 << 20         // bytes; a padded response has about 40,000
)

// API is the range API of Have I Been Pwned, or a copy of it. Create it with NewAPI. A
// request contains the first 20 bits of the password's SHA-1 digest; the response lists
// all digests that begin with them, and is searched by this program. With the header
// Add-Padding, which API sends, the length of the response does not show which digests
// were requested.
type API struct {
	base   *url.URL
	client *http.Client
}

var _ List = (*API)(nil)

// NewAPI returns the range API at an address, such as PwnedPasswords: an https URL,
// or an http URL with a loopback address. The error says what is wrong with the
// address. NewAPI makes no request.
func NewAPI(address string) (*API, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("must be an absolute URL such as %s", PwnedPasswords)
	}
	if base.Scheme != "https" && (base.Scheme != "http" || !isLoopback(base.Hostname())) {
		return nil, errors.New("must be https, because the responses decide which passwords are accepted")
	}
	return &API{base: base.JoinPath("range/"), client: &http.Client{
		Timeout: apiTimeout,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: apiTimeout}).DialContext,
			TLSHandshakeTimeout: apiTimeout,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// Contains requests whether the password is in the list. It takes at most two
// seconds. It returns an error if the connection fails, or if the response is not a
// complete list of digests with the status 200.
func (a *API) Contains(ctx context.Context, password string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	sum := sha1.Sum([]byte(password))
	digest := strings.ToUpper(hex.EncodeToString(sum[:]))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base.JoinPath(digest[:5]).String(), nil)
	if err != nil {
		return false, err
	}
	request.Header.Set("Add-Padding", "true")
	request.Header.Set("User-Agent", "jotgate")
	response, err := a.client.Do(request)
	if err != nil {
		return false, withoutRange(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return false, fmt.Errorf("%s responded with %s", a.base.Host, response.Status)
	}
	return find(io.LimitReader(response.Body, apiResponse+1), digest[5:])
}

// withoutRange removes the URL, which has a part of the digest, from an error.
func withoutRange(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// find looks for a suffix in a response. It reads all of it: a response that is
// not complete is an error, not an answer. Lines with the count 0 are padding.
func find(body io.Reader, suffix string) (found bool, err error) {
	lines, read := bufio.NewScanner(body), 0
	for lines.Scan() {
		read += len(lines.Bytes()) + 2
		have, number, ok := strings.Cut(strings.TrimSuffix(lines.Text(), "\r"), ":")
		seen, err := strconv.Atoi(number)
		if !ok || err != nil || seen < 0 || len(have) != len(suffix) || read > apiResponse {
			return false, errors.New("the response is not a range of SHA-1 digests")
		}
		found = found || seen > 0 && strings.EqualFold(have, suffix)
	}
	if read == 0 && lines.Err() == nil { // no range is empty
		return false, errors.New("the response is empty")
	}
	return found, lines.Err()
}
