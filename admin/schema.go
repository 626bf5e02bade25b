package admin

// The OpenAPI description of the JSON endpoints, made of the table of actions, so
// that it cannot differ from them.

import (
	"maps"
	"slices"
	"strings"
)

// object is a JSON object.
type object = map[string]any

// schema returns the description, as api/schema/ serves it: OpenAPI 3.1.
func (a *Admin) schema() object {
	paths := object{}
	get := func(path, summary string, parameters []any) {
		paths["/"+path+"/"] = object{"get": object{
			"operationId": "admin " + path, "summary": summary, "parameters": parameters, "responses": responses(object{"type": "object"}),
		}}
	}
	for _, path := range slices.Sorted(maps.Keys(readers)) {
		get(path, "List "+path+".", append(parameters(listParameters[path]), parameters([]string{"after"})...))
	}
	get("actions", "List the actions and their fields.", nil)
	for _, path := range []string{"users", "groups", "permissions", "jobs"} {
		get(path+"/{id}", "Show one of "+path+".", []any{pathID})
	}
	for _, act := range actions {
		path, post := "/"+act.path()+"/", a.describe(act)
		if strings.Contains(path, "{id}") {
			post["parameters"] = []any{pathID}
		}
		paths[path] = object{"post": post}
	}
	return object{
		"openapi":    "3.1.0",
		"info":       object{"title": "jotgate administration", "version": "1"},
		"servers":    []any{object{"url": strings.TrimSuffix(a.options.Path, "/") + "/api"}},
		"security":   []any{object{"token": []any{}}},
		"paths":      paths,
		"components": object{"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}},
	}
}

// listParameters are the parameters of the lists in addition to after.
var listParameters = map[string][]string{
	"users": append(slices.Clone(filterNames), "sort", "limit"), "sessions": {"user"}, "throttles": {"user"}, "events": eventFilters,
}

var pathID = object{"name": "id", "in": "path", "required": true, "schema": object{"type": "string"}}

func parameters(names []string) (list []any) {
	for _, name := range names {
		list = append(list, object{"name": name, "in": "query", "schema": object{"type": "string"}})
	}
	return list
}

// describe returns the operation of an action.
func (a *Admin) describe(act *action) object {
	properties := object{}
	for _, name := range act.fieldNames(a) {
		properties[name] = object{"type": []any{"string", "boolean", "number", "array", "null"}}
	}
	op := object{"operationId": act.Name, "summary": act.about, "responses": responses(object{"type": "object"})}
	if len(properties) > 0 {
		op["requestBody"] = object{"content": object{"application/json": object{"schema": object{"type": "object", "properties": properties, "additionalProperties": false}}}}
	}
	return op
}

// responses lists the statuses of every endpoint.
func responses(schema object) object {
	all := object{"200": object{"description": "Done.", "content": object{"application/json": object{"schema": schema}}}}
	for status, about := range map[string]string{
		"400": "A field or parameter is not valid.", "401": "No valid token, or a recent or stronger authentication is needed (RFC 9470).",
		"403": "The user may not do that.", "404": "There is no such row.", "409": "Another administrator has changed it: both versions.", "503": "The database does not respond.",
	} {
		all[status] = object{"description": about}
	}
	return all
}
