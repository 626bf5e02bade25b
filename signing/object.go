package signing

// Signed objects: Django's signing.dumps and signing.loads.

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// maxUnpacked bounds what a compressed value may become. Django has no bound: it
// trusts its signature.
const maxUnpacked = 4 << 20

// Dumps returns v as signed JSON with the time, in characters that are safe in
// URLs: Django's signing.dumps. If compress is true, the JSON is compressed with
// zlib if that makes it shorter. The error is that of encoding/json.
func (s *Signer) Dumps(v any, compress bool, at time.Time) (string, error) {
	data, err := marshal(v)
	if err != nil {
		return "", err
	}
	mark := ""
	if compress {
		if packed := pack(data); len(packed) < len(data)-1 {
			data, mark = packed, "."
		}
	}
	return s.SignAt(mark+base64.RawURLEncoding.EncodeToString(data), at), nil
}

// Loads verifies the result of Dumps or of Django's signing.dumps, and decodes its
// JSON into the value that into points to, as encoding/json does. maxAge is that of
// UnsignAt. Errors: those of UnsignAt; ErrSignature also if the signed value is not
// JSON for that type, or is longer than 4 MiB when decompressed. If the signature
// does not match or has expired, the value is unchanged.
func (s *Signer) Loads(signed string, into any, now time.Time, maxAge time.Duration) error {
	text, err := s.UnsignAt(signed, now, maxAge)
	if err != nil {
		return err
	}
	text, packed := strings.CutPrefix(text, ".")
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && packed {
		data, err = unpack(data)
	}
	if err == nil {
		err = json.Unmarshal(data, into) // verified above
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// marshal writes JSON as Python's json.dumps(separators=(",", ":")) does: ASCII
// only, nothing escaped for HTML. Members of maps are sorted.
func marshal(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	var ascii []byte
	for _, r := range strings.TrimSuffix(text.String(), "\n") {
		switch {
		case r < utf8.RuneSelf:
			ascii = append(ascii, byte(r))
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				ascii = fmt.Appendf(ascii, `\u%04x`, unit)
			}
		}
	}
	return ascii, nil
}

func pack(data []byte) []byte {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	w.Write(data) // a bytes.Buffer never fails
	w.Close()
	return packed.Bytes()
}

func unpack(data []byte) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	unpacked, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if err == nil && len(unpacked) > maxUnpacked {
		err = fmt.Errorf("unpacks to more than %d bytes", maxUnpacked)
	}
	return unpacked, err
}
