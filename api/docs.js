"use strict";
SwaggerUIBundle({ url: "/api/schema/", dom_id: "#docs", deepLinking: true, validatorUrl: null, persistAuthorization: false });
