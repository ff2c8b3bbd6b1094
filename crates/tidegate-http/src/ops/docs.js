"use strict";
window.SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  // Credentials typed in here stay in this page's memory.
  persistAuthorization: false,
  validatorUrl: null,
});
