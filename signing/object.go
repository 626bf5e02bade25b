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

// Dumps returns v as signed JSON, safe in URLs, with the time: Django's
// signing.dumps. With compress it is packed with zlib where that makes it shorter.
// It returns the error of encoding/json for a v that cannot be written.
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

// Loads verifies what Dumps or Django's signing.dumps made and stores the object in
// the value that into points at, as encoding/json does. It returns ErrSignature or
// ErrExpired as UnsignAt does, ErrSignature also for a signed value that is not
// JSON or unpacks to more than 4 MiB. into is untouched unless the signature is
// right.
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
