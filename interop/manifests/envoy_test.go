package manifests

import (
	"os"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"sigs.k8s.io/yaml"
)

// Envoy's own types read the file, each filter's part included, and each value is in their limits.
func TestEnvoy(t *testing.T) {
	text, err := os.ReadFile("../../examples/gateways/envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parts, err := readEnvoy(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Bootstrap", "HttpConnectionManager", "HeaderMutation", "Lua", "Cors", "CorsPolicy", "ExtAuthz", "ExtAuthzPerRoute", "Router"} {
		if parts[name] == 0 {
			t.Errorf("no %s was read, of %v", name, parts)
		}
	}
	for _, change := range [][2]string{
		{"path_override: /auth/check", "path_overwrite: /auth/check"},
		{"code: ServiceUnavailable", "code: Unavailable"},
		{"port_value: 8000", "port_value: 80000"},
		{"stat_prefix: front", `stat_prefix: ""`},
		{"http_filters:", "filters:"},
	} {
		changed := strings.ReplaceAll(string(text), change[0], change[1])
		if changed == string(text) {
			t.Errorf("no %q in the file", change[0])
		}
		if _, err := readEnvoy([]byte(changed)); err == nil {
			t.Errorf("%q is accepted", change[1])
		}
	}
}

// readEnvoy reads a file as Envoy does at its start, and returns how many messages of each type with rules
// are in it.
func readEnvoy(text []byte) (map[string]int, error) {
	document, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	var b bootstrapv3.Bootstrap
	if err := protojson.Unmarshal(document, &b); err != nil {
		return nil, err
	}
	parts := map[string]int{}
	return parts, validate(&b, parts)
}

// validate checks a message by its own rules, and what is in an Any in it by those of its type.
func validate(m proto.Message, parts map[string]int) (err error) {
	if packed, ok := m.(*anypb.Any); ok {
		if m, err = packed.UnmarshalNew(); err != nil {
			return err
		}
	}
	if rules, ok := m.(interface{ ValidateAll() error }); ok {
		parts[string(m.ProtoReflect().Descriptor().Name())]++
		if err := rules.ValidateAll(); err != nil {
			return err
		}
	}
	within := func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Message() != nil && err == nil {
			err = validate(v.Message().Interface(), parts)
		}
		return err == nil
	}
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { return within(f.MapValue(), v) })
		case f.IsList():
			for i := range v.List().Len() {
				within(f, v.List().Get(i))
			}
		default:
			within(f, v)
		}
		return err == nil
	})
	return err
}
