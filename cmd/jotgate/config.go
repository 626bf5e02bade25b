package main

// The sources of settings other than the flags: the environment, then the
// config file. A flag of the gate or the server is JOTGATE_NAME and a line
// `name:`; a flag of one command is JOTGATE_COMMAND_NAME and a line in its
// section.

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// defaultConfig is read if it exists and no other file is named.
const defaultConfig = "jotgate.yaml"

// source provides the value of a flag that is not on the command line.
type source struct {
	env    map[string]string
	names  map[*kong.Value]aliases
	maps   map[string]bool // the keys of this parser's commands; true if the value is a map
	loaded bool
	file   string         // the config file in use
	values map[string]any // its content, with sections flattened to section.name
}

// everything returns a source that knows the settings of every command. It
// reads what the config file and the environment have for other commands, so
// that they mean the same for all commands, even if the parser knows only one.
// That takes longer than the start of a server: it is used for settings that
// the parser does not know.
var everything = sync.OnceValues(func() (*source, error) {
	var all source
	_, err := newParser(&commands{}, &app{}, &all, nil)
	return &all, err
})

// key reports whether a key of the config file is known, and whether its value
// is a map.
func (s *source) key(name string) (isMap, known bool, err error) {
	if isMap, known = s.maps[name]; known {
		return isMap, known, nil
	}
	all, err := everything()
	if err != nil {
		return false, false, err
	}
	isMap, known = all.maps[name]
	return isMap, known, nil
}

// aliases are the names of a flag in the environment and in the config file.
// The first one that is set is used.
type aliases struct {
	env       []string
	formerEnv []string // for the flag's former names; not in --help
	keys      []string // the flag's name, then its former ones
}

// learn gives every flag its other names.
func (s *source) learn(k *kong.Kong) error {
	s.names, s.maps = map[*kong.Value]aliases{}, map[string]bool{}
	s.learnNode(k.Model.Node, "")
	return nil
}

func (s *source) learnNode(node *kong.Node, section string) {
	for _, flag := range node.Flags {
		n := namesOf(flag, section)
		s.names[flag.Value] = n
		for _, key := range n.keys {
			s.maps[key] = flag.IsMap()
		}
	}
	for _, child := range node.Children {
		s.learnNode(child, cmp.Or(section, child.Name))
	}
}

// asVariable replaces what the name of a variable cannot have.
var asVariable = strings.NewReplacer("-", "_", ".", "_")

func namesOf(flag *kong.Flag, section string) aliases {
	var n aliases
	for _, name := range append([]string{flag.Name}, flag.Aliases...) {
		if section != "" && flag.Group == nil {
			name = section + "." + name
		}
		n.keys = append(n.keys, name)
		n.formerEnv = append(n.formerEnv, "JOTGATE_"+asVariable.Replace(strings.ToUpper(name)))
	}
	n.env, n.formerEnv = n.formerEnv[:1:1], n.formerEnv[1:]
	if also := flag.Tag.Get("also"); also != "" {
		n.env = append(n.env, strings.Split(also, ",")...)
	}
	return n
}

// Resolve implements kong.Resolver.
func (s *source) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, _, err := s.find(flag)
	return value, err
}

// find returns the value of a flag that is not on the command line, and where it
// is from: the name of a variable, or the config file and the key. Both are
// empty if it is set nowhere.
func (s *source) find(flag *kong.Flag) (value any, from string, err error) {
	n, known := s.names[flag.Value]
	if !known || flag.Name == "help" || flag.Name == "config" {
		return nil, "", nil
	}
	for _, name := range slices.Concat(n.env, n.formerEnv) {
		if value := s.env[name]; value != "" {
			return value, "$" + name, nil
		}
	}
	if err := s.load(); err != nil {
		return nil, "", err
	}
	for _, key := range n.keys {
		if value := s.values[key]; value != nil {
			return value, s.file + ": " + key, nil
		}
	}
	return nil, "", nil
}

// Validate implements kong.Resolver: a line in the config file without a flag
// is an error, so that a misspelt setting is not silently ignored.
func (s *source) Validate(*kong.Application) error {
	if err := s.load(); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		_, known, err := s.key(key)
		if err == nil && !known {
			all, _ := everything()
			err = fmt.Errorf("%s: there is no setting %q%s", s.file, key, meant(key, slices.Collect(maps.Keys(all.maps))))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// load reads the config file once.
func (s *source) load() error {
	if s.loaded {
		return nil
	}
	s.loaded = true
	named := s.file != ""
	if !named {
		s.file = s.env["JOTGATE_CONFIG"]
		named = s.file != ""
	}
	if !named {
		s.file = defaultConfig
	}
	text, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil
	} else if err != nil {
		return fmt.Errorf("config file: %w", err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return fmt.Errorf("config file %s: %w", s.file, err)
	}
	s.values = map[string]any{}
	if err := s.flatten("", tree); err != nil {
		return fmt.Errorf("config file %s: %w", s.file, err)
	}
	return nil
}

// use takes a tree in place of the config file.
func (s *source) use(tree map[string]any) error {
	text, err := yaml.Marshal(tree)
	if err != nil {
		return err
	}
	var read map[string]any // as the file would be read
	if err := yaml.Unmarshal(text, &read); err != nil {
		return err
	}
	s.loaded, s.values = true, map[string]any{}
	return s.flatten("", read)
}

// flatten turns sections into section.name, and every value into text, so
// that it is parsed as on the command line.
func (s *source) flatten(prefix string, tree map[string]any) error {
	for name, value := range tree {
		key := prefix + strings.ReplaceAll(name, "_", "-")
		isMap, _, err := s.key(key)
		if err != nil {
			return err
		}
		if section, ok := value.(map[string]any); ok && !isMap {
			if err := s.flatten(key+".", section); err != nil {
				return err
			}
			continue
		}
		if s.values[key] != nil {
			return fmt.Errorf("%s is given twice, with - and with _", key)
		}
		s.values[key] = asWord(isMap, value)
	}
	return nil
}

// asWord returns a value as it would appear on the command line, or nil if
// there is none.
func asWord(isMap bool, value any) any {
	var words []string
	switch v := value.(type) {
	case nil:
		return nil
	case map[string]any:
		words = asPairs("", v)
	case []any:
		if !isMap {
			return asTexts(v)
		}
		words = listOf(v)
	default:
		return fmt.Sprint(v)
	}
	slices.Sort(words)
	return strings.Join(words, ";")
}

// asPairs returns name=value for each member; that of an inner table is
// table.name=value. A ; in a value does not separate pairs.
func asPairs(prefix string, table map[string]any) (words []string) {
	for name, value := range table {
		switch v := value.(type) {
		case nil:
		case map[string]any:
			words = append(words, asPairs(prefix+name+".", v)...)
		case []any:
			words = append(words, prefix+name+"="+strings.Join(listOf(v), ","))
		default:
			words = append(words, prefix+name+"="+strings.ReplaceAll(fmt.Sprint(v), ";", `\;`))
		}
	}
	return words
}

func asTexts(values []any) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = fmt.Sprint(v)
	}
	return list
}

// configFlag is --config, which must be known before the other flags.
type configFlag string

// BeforeResolve is called by kong if the flag is on the command line.
func (configFlag) BeforeResolve(s *source, line *kong.Context, trace *kong.Path) error {
	s.file = string(line.FlagValue(trace.Flag).(configFlag))
	return s.load()
}
