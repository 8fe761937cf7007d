import { startPage } from "/static/web/edge.js";

startPage();
